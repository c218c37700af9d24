import { subject } from "./process-subject.ts";
import { runtimeContract } from "./runtime.ts";

runtimeContract(subject, new URL("process-subject.ts", import.meta.url).href);
