// Measures llama.cpp through node-llama-cpp: one process, one measurement of prefill and decode, one line of JSON.
//
//   node peer.mjs MODULES MODEL.gguf THREADS PROMPT_TOKENS DECODE_TOKENS
//
// MODULES is the node_modules folder to load node-llama-cpp from. As `sinter bench` does, it warms up once, then
// runs a prompt of fixed ids and decodes greedily; times include the logits of the last token and the choice.
import path from "node:path";
import { pathToFileURL } from "node:url";

const [modules, model_path, ...numbers] = process.argv.slice(2);
const [threads, prompt_tokens, decode_tokens] = numbers.map(Number);
const peer = await import(pathToFileURL(path.join(modules, "node-llama-cpp/dist/index.js")).href);

const llama = await peer.getLlama({
  gpu: false, build: "never", maxThreads: threads, logLevel: peer.LlamaLogLevel.error,
});
const model = await llama.loadModel({ modelPath: model_path });
const context = await model.createContext({
  contextSize: prompt_tokens + decode_tokens + 16, batchSize: prompt_tokens, threads: { ideal: threads, min: threads },
});
const sequence = context.getSequence();

const seconds = () => Number(process.hrtime.bigint()) * 1e-9;

/** Runs `count` prompt tokens, then decodes `steps` more; returns the seconds of each part. */
async function measure(count, steps) {
  await sequence.clearHistory();
  const tokens = Array.from({ length: count }, (_, i) => 100 + (i * 7) % 200);
  const stream = sequence.evaluate(tokens, { temperature: 0, yieldEogToken: true });
  const start = seconds();
  await stream.next();
  const prefilled = seconds();
  for (let step = 0; step < steps; step++) await stream.next();
  const decoded = seconds();
  await stream.return();
  return { prefill: prefilled - start, decode: decoded - prefilled };
}

await measure(32, 4);
const { prefill, decode } = await measure(prompt_tokens, decode_tokens);
console.log(JSON.stringify({
  prefill_tokens_per_second: prompt_tokens / prefill,
  decode_tokens_per_second: decode_tokens / decode,
}));
await llama.dispose();
process.exit(0);
