export { checkOptions, guardCallers, guardMethods, type OptionNames, rejecting, throwing } from './method-options.ts';
