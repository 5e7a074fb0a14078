export { checkConfiguration } from './check-configuration.ts';
export { checkAddress, checkPorts, checkReach, checkRunning, clusterTokens } from './check-network.ts';
export { checkStorage } from './check-storage.ts';
export { type Finding, failed, warning } from './finding.ts';
