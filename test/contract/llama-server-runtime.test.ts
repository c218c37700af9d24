import { subject } from "./llama-server-subject.ts";
import { runtimeContract } from "./runtime.ts";

runtimeContract(subject, new URL("llama-server-subject.ts", import.meta.url).href);
