// Builds the editor of the page /sql and the file of its licences, from what package-lock.json names.
//
//   npm ci && npm run build            writes ../kandji_web/assets/console.js and console.licences.txt
//   npm ci && npm run build -- FOLDER  writes them into a folder instead, to compare
import { build } from "esbuild";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const here = import.meta.dirname;
const to = process.argv[2] ?? join(here, "..", "kandji_web", "assets");

const { metafile } = await build({
  entryPoints: [join(here, "src", "console.js")],
  absWorkingDir: here,
  outfile: join(to, "console.js"),
  bundle: true,
  minify: true,
  metafile: true,
  format: "iife",
  target: ["es2022"],
  charset: "ascii",
  legalComments: "none",
  banner: { js: "/* Built from web/bundle. Licences of what is in it: console.licences.txt */" },
});

const packages = new Set();
for (const path of Object.keys(metafile.inputs)) {
  const found = path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//);
  if (found) packages.add(found[1]);
}

const texts = [];
for (const name of [...packages].sort()) {
  const folder = join(here, "node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (!file) throw new Error(`${name} has no licence file`);
  texts.push(`${name} ${version} (${license})\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`);
}
writeFileSync(join(to, "console.licences.txt"), texts.join(`\n${"-".repeat(78)}\n\n`));
