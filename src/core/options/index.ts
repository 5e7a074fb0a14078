export { checkOptions, guardMethods, type OptionNames, rejecting, throwing } from './method-options.ts';
