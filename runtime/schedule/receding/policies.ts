/** The receding-horizon scheduler with a forecast, and with the truth. */
import type {Policy} from '../policy.js';
import {knownForecast} from './forecast.js';
import {scenarioForecast} from './scenarios.js';
import {recedingScheduler} from './scheduler.js';

export const dnncPolicy: Policy = {
  name: 'dnnc',
  begin: (problem, setting) => recedingScheduler(problem, setting, scenarioForecast(problem, setting)),
};

/** Knows how many requests will come with and without a connection, but no order. */
export const oraclePolicy: Policy = {
  name: 'oracle',
  begin(problem, setting, future) {
    if (!future) throw new TypeError('the oracle needs the future: count the trace first');
    return recedingScheduler(problem, setting, knownForecast(future, setting.day));
  },
};
