/**
 * A person's browser at a login: goes where it is sent, agrees, and comes back. `way` may change the address that it comes
 * back to. The result is what the page says that it ends at.
 */
export async function browse(address: string, way: (back: URL) => void = () => undefined): Promise<string> {
  const response = await fetch(address, { redirect: "manual" });
  const location = response.headers.get("location");
  if (location === null) return `${response.status}: ${await response.text()}`;
  const back = new URL(location);
  way(back);
  const page = await fetch(back);
  return `${page.status}: ${(await page.text()).trim()}`;
}
