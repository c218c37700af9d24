/**
 * Goes on with a value at once where it is there, so that what is decided on the spot costs no turn of the event loop.
 * `failed` hears of what any of it throws.
 */
export function whenThere<T>(
  value: () => T | Promise<T>,
  then: (value: T) => void,
  failed: (thrown: unknown) => void,
): void {
  try {
    const known = value();
    if (known instanceof Promise) known.then(then).catch(failed);
    else then(known);
  } catch (thrown) {
    failed(thrown);
  }
}
