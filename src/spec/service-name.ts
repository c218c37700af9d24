/** The name of the service that a model is when the spec defines none: what of the model's name can be a service's. */
export const serviceName = (model: string): string =>
  model
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 63)
    .replaceAll(/^-+|-+$/g, "");
