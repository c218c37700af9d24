/** The least that any program over node-llama-cpp does: import, load, one context, one token. Run by bench/start.ts. */
import { getLlama, LlamaLogLevel } from "node-llama-cpp";

const llama = await getLlama({ gpu: false, build: "never", logLevel: LlamaLogLevel.error, maxThreads: 1 });
const model = await llama.loadModel({ modelPath: "demo/omni-demo.gguf" });
const context = await model.createContext({ contextSize: 2048, threads: 1 });
const prompt = "<|im_start|>user\nWhat is Omni?<|im_end|>\n<|im_start|>assistant\n";
for await (const token of context.getSequence().evaluate(model.tokenize(prompt, true))) {
  process.stdout.write(String(token));
  break;
}
process.exit(0);
