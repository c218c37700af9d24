/**
 * Triton: a model repository for each service of Triton's vLLM backend, and a README that tells how each is asked and
 * which tiers of cards have no model. The files themselves come from `triton-repository`, which other targets read too.
 */
import type { DeployedService } from "../../deployment/index.ts";
import type { Artifact, Target } from "../artifact.ts";
import { isTriton, tritonRepository } from "../triton-repository/index.ts";
import { tritonReadme } from "./readme.ts";

const artifactsOf = (service: DeployedService): readonly Artifact[] =>
  tritonRepository(service).map(({ path, content }) => ({
    path: `triton/${service.name}/${path}`,
    content,
    mode: 0o644,
    reason: `Asked for by services.${service.replicaOf ?? service.name}: its engine is Triton with vLLM, which reads ${
      path.endsWith("config.pbtxt") ? "the model's config here" : "the engine's arguments here"
    }.`,
  }));

export const triton: Target = {
  name: "triton",
  about: "Model repositories for NVIDIA Triton with the vLLM backend.",
  wanted: (deployment) => deployment.services.some(isTriton),
  render: (deployment) => {
    const services = deployment.services.filter(isTriton);
    const readme: Artifact = {
      path: "triton/README.md",
      content: tritonReadme(deployment, services),
      mode: 0o644,
      reason: `Asked for by the services of kind triton-vllm (${services.map(({ name }) => name).join(", ")}): how they are asked, and which tiers have no model.`,
    };
    return {
      artifacts: [readme, ...services.flatMap(artifactsOf)],
      diagnostics: [],
    };
  },
};
