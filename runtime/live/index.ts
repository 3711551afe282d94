/**
 * Scheduling as it happens: requests with inputs come in, answers come out, on this device or where the same build runs, within the
 * budgets of the day. Nothing here needs Node: it runs in a page too. README.md beside this file tells how.
 */
export {type Device, type DeviceOptions, deviceExecutor} from './device.js';
export type {Executor, Job, LiveInput, Ran, TaskAnswer} from './executor.js';
export {type HttpLink, type HttpOptions, httpLink} from './http.js';
export type {Profiled, Waits} from './profiler.js';
export type {InferRequest, InferResponse, WireTensor} from './protocol.js';
export {type RemoteOptions, type RemoteRequest, type RemoteResponse, remoteExecutor, type Send} from './remote.js';
export {
  type Contexts,
  createRouter,
  type LiveSummary,
  type Router,
  type RouterOptions,
  type Served,
  type Submission,
} from './router.js';
export {inferenceService, type Service, type ServiceRequest, type ServiceResponse} from './service.js';
