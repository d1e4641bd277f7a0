// Holds an ONNX model against what dptrain predicts for the same table.
//
//   check.mjs MODEL.onnx EXPORT.json TABLE.csv PREDICTIONS.csv VECTOR_PREFIX
//
// EXPORT.json is what `dptrain export --json` prints. Cells are read as plain CSV without quotes.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [model, exported, table, predictions, prefix] = process.argv.slice(2);
const ort = createRequire(process.env.ORT_MODULES + "/")("onnxruntime-node");
const read = path => readFileSync(path, "utf8").trim().split("\n").map(line => line.replace(/\r$/, "").split(","));
const { inputs, classes } = JSON.parse(readFileSync(exported, "utf8"));
const [header, ...rows] = read(table);
const [, ...want] = read(predictions);
const column = name => {
  const at = header.indexOf(name);
  if (at < 0) throw new Error(`the table has no column ${name}`);
  return at;
};
const number = cell => (cell === "" || cell === "?" ? NaN : Number(cell));

const feeds = {};
for (const { name, type, width } of inputs) {
  const shape = [rows.length, width];
  if (type === "string") {
    const at = column(name);
    feeds[name] = new ort.Tensor("string", rows.map(row => row[at]), shape);
  } else if (type === "double") {
    const at = column(name);
    feeds[name] = new ort.Tensor("float64", Float64Array.from(rows, row => number(row[at])), shape);
  } else {
    const first = column(prefix + "0");
    feeds[name] = new ort.Tensor("float32", Float32Array.from(rows.flatMap(row => row.slice(first, first + width).map(number))), shape);
  }
}
const session = await ort.InferenceSession.create(model);
const { label, probabilities } = await session.run(feeds);
let worst = 0, labels = 0;
want.forEach((line, i) => {
  const row = classes.map((_, j) => probabilities.data[i * classes.length + j]);
  const expected = line.slice(1).map(Number);
  row.forEach((p, j) => { worst = Math.max(worst, Number.isFinite(p) ? Math.abs(p - expected[j]) : Infinity); });
  const sorted = [...expected].sort((a, b) => b - a);
  if (label.data[i] !== line[0] && sorted[0] - sorted[1] > 1e-5) labels++;
});
const ok = want.length === rows.length && rows.length > 0 && worst <= 1e-5 && labels === 0;
console.log(`onnx: ${rows.length} rows, ${inputs.length} inputs: probabilities differ by ${worst.toExponential(1)} at most, ${labels} labels differ: ${ok ? "ok" : "WRONG"}`);
process.exit(ok ? 0 : 1);
