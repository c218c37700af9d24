// Run the exam through the GGUF file with llama.cpp (npm node-llama-cpp) at temperature 0, and check
// that its tokenizer gives the ids of the training tokenizer. Exit code 1 below 47 of 50.
//
//     node evaluate.mjs [FILE.gguf] [--tokens work/tokens.json] [--development work/development.json]
//         [--compare work/exam.torch.json]
//
// Run it where node-llama-cpp 3.22.1 is installed, or set NLC to the folder that has it in node_modules.
// Prompts are rendered by the chat template inside the file.
import {createRequire} from "node:module";
import {readFileSync} from "node:fs";
import {dirname, join} from "node:path";
import {fileURLToPath, pathToFileURL} from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const from = createRequire(process.env.NLC ? join(process.env.NLC, "x.js") : import.meta.url);
const load = async (name) => import(pathToFileURL(from.resolve(name)).href);
const {getLlama, resolveChatWrapper} = await load("node-llama-cpp");

const args = process.argv.slice(2);
const option = (name) => { const i = args.indexOf(name); return i < 0 ? undefined : args.splice(i, 2)[1]; };
const tokens = option("--tokens"), development = option("--development"), compare = option("--compare");
const file = args[0] ?? join(here, "../omni-demo.gguf");

const llama = await getLlama({gpu: false, build: "never", maxThreads: 1, logLevel: "warn"});
const model = await llama.loadModel({modelPath: file, gpuLayers: 0});
const context = await model.createContext({contextSize: 2048, threads: 1, sequences: 1});
const sequence = context.getSequence();
const info = model.fileInfo.metadata;
console.log(`${info.general.name}, licence ${info.general.license}, context ${model.trainContextSize}, eos ${model.tokens.eosString}, ` +
    `eot ${model.tokens.eotString}, bos added: ${model.tokens.shouldPrependBosToken}, wrapper ${resolveChatWrapper(model).wrapperName}`);

if (tokens) {
    let different = 0;
    const rows = JSON.parse(readFileSync(tokens, "utf8"));
    for (const {text, ids} of rows) {
        const ours = model.tokenize(text, true);
        if (ours.join() !== ids.join() && different++ < 5)
            console.log("tokens differ:", JSON.stringify(text), ids.join(), ours.join());
    }
    console.log(`tokenizer: ${rows.length - different}/${rows.length} texts give identical ids`);
    if (different) process.exitCode = 1;
}

async function answer(prompt, limit = 160) {
    await sequence.clearHistory();
    const out = [];
    // The library ends the stream at an end-of-generation token and does not yield it.
    for await (const token of sequence.evaluate(model.tokenize(prompt, true), {temperature: 0})) {
        out.push(token);
        if (out.length >= limit) break;
    }
    return {text: model.detokenize(out), ended: out.length < limit};
}

// The file's own template, rendered by the library's Jinja.
const {Template} = await import(pathToFileURL(createRequire(from.resolve("node-llama-cpp")).resolve("@huggingface/jinja")).href);
const template = new Template(info.tokenizer.chat_template);
const render = (messages, more = {}) => template.render({messages, add_generation_prompt: true,
    bos_token: model.tokens.bosString, eos_token: model.tokens.eosString, ...more});

async function run(items, title) {
    let facts = 0, same = 0, ended = 0;
    const results = [], began = Date.now();
    for (const item of items) {
        const said = await answer(render([{role: "user", content: item.question}]));
        const right = item.facts.every((f) => said.text.toLowerCase().includes(f.toLowerCase()));
        facts += right;
        same += said.text === item.answer;
        ended += said.ended;
        results.push({id: item.id, question: item.question, text: said.text, ended: said.ended, facts: right});
    }
    console.log(`${title}: ${facts}/${items.length} with all facts, ${same} word for word, ${ended} ended by themselves, ` +
        `${((Date.now() - began) / items.length).toFixed(0)} ms each`);
    return results;
}

const results = await run(JSON.parse(readFileSync(join(here, "../exam.json"), "utf8")), "exam");
if (development)
    await run(JSON.parse(readFileSync(development, "utf8")), "development");
if (compare) {
    const theirs = JSON.parse(readFileSync(compare, "utf8"));
    const same = results.filter((r, i) => r.question === theirs[i].question && r.text === theirs[i].text).length;
    console.log(`PyTorch: ${same}/${results.length} texts are the same`);
}
if (results.filter((r) => r.facts).length < 47)
    process.exitCode = 1;
await llama.dispose();
