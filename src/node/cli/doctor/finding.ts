/** The result for one point of the deployment checklist. */
export interface Finding {
  readonly point: string;
  /** `warning`: it works, but not as well as it should. */
  readonly state: 'ok' | 'warning' | 'failed';
  /** What was found and, if it is not fine, what to do. */
  readonly message: string;
}

export function ok(point: string, message: string): Finding {
  return { point, state: 'ok', message };
}

export function warning(point: string, message: string): Finding {
  return { point, state: 'warning', message };
}

export function failed(point: string, message: string): Finding {
  return { point, state: 'failed', message };
}
