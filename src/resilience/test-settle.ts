/** Lets pending promises settle: nothing here waits for anything but the manual clock. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 60; i++) await Promise.resolve();
}
