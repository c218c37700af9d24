/**
 * The model repository of a service under Triton's vLLM backend, as plain files. It is no target: the target `triton`
 * writes these files, Kubernetes carries them in a ConfigMap and compose mounts what `triton` wrote, all at
 * `service.place.repositoryPath`. Targets never import each other, so what they share about Triton stands here.
 *
 * `tritonRepository(service)` gives `{ path, content }` with paths below the repository: `NAME/config.pbtxt`,
 * `NAME/1/model.json`. A ConfigMap's keys have no slashes: give each file a key and its path back under `items`.
 */
export { isTriton, tritonModelFolder, tritonRepository } from "./triton-repository.ts";
