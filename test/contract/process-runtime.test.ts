import { createProcessRuntime } from "../../src/runtimes/index.ts";
import { runtimeContract } from "./runtime.ts";

runtimeContract("process", (stateFolder) => createProcessRuntime({ stateFolder }));
