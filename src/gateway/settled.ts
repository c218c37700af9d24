/** Goes on with a value at once where it is there, so that what is decided on the spot costs no turn of the event loop. */
export function whenThere<T>(
  value: T | Promise<T>,
  then: (value: T) => void,
  failed: (thrown: unknown) => void,
): void {
  if (value instanceof Promise) value.then(then).catch(failed);
  else then(value);
}
