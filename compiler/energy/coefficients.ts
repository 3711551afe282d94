/** What a device profile may know: every coefficient with its unit and meaning. Megabytes are 10^6 bytes. */
export const coefficients = {
  float: {unit: 'pJ/MAC', says: 'a multiply-accumulate of floats'},
  integer: {unit: 'pJ/MAC', says: 'a multiply-accumulate of bytes, summed in 32 bits'},
  weights: {unit: 'pJ/B', says: 'a byte of weights read; absent: counted in the multiply-accumulates'},
  activations: {unit: 'pJ/B', says: 'a byte between layers read or written; absent: counted in the multiply-accumulates'},
  call: {unit: 'mJ', says: 'what every call takes besides'},
  floatTime: {unit: 'ms/GMAC', says: 'of floats'},
  integerTime: {unit: 'ms/GMAC', says: 'of bytes'},
  weightsTime: {unit: 'ms/MB', says: 'of weights read'},
  callTime: {unit: 'ms', says: 'what every call takes besides'},
  idle: {unit: 'W', says: 'while nothing is computed'},
  active: {unit: 'W', says: 'while a network runs, with what idling takes'},
  load: {unit: 'J/MB', says: 'weights from storage'},
  loadTime: {unit: 'ms/MB', says: 'weights from storage'},
  lte: {unit: 'J/MB', says: 'sent over LTE'},
  lteRequest: {unit: 'J', says: 'what a transmission over LTE takes besides'},
  wifi: {unit: 'J/MB', says: 'sent over Wi-Fi'},
  wifiRequest: {unit: 'J', says: 'what a transmission over Wi-Fi takes besides'},
  price: {unit: '$/h', says: 'of the machine'},
} as const satisfies Readonly<Record<string, {readonly unit: string; readonly says: string}>>;

export type CoefficientName = keyof typeof coefficients;
