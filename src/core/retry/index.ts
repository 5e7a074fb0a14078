export { backoffCeilingMs, fullJitterMs } from './backoff.ts';
export { isTransient } from './is-transient.ts';
export { type ExecuteOptions, RetryPolicy, type RetryPolicyDeps, type RetryPolicyOptions } from './retry-policy.ts';
