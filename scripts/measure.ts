/**
 * The yardstick: `node scripts/measure.ts` prints the shape of `src` as one line of JSON.
 * It counts what a linter cannot: medians. A tidy test holds the figures of CONTRIBUTING.md.
 */
import { globSync, readFileSync } from "node:fs";
import path from "node:path";

import ts from "typescript";

const ROOT = path.join(import.meta.dirname, "..");

export type Shape = {
  readonly files: number;
  readonly lines: number;
  readonly fileMedian: number;
  readonly fileMax: number;
  readonly functions: number;
  readonly functionMedian: number;
  readonly functionP90: number;
  readonly functionMax: number;
  /** Assertions other than `as const`. */
  readonly casts: number;
  readonly testLines: number;
  readonly testRatio: number;
};

export function measure(): Shape {
  const files = findFiles("src/**/*.ts").filter((file) => !file.endsWith(".test.ts"));
  const tests = findFiles("{src,test}/**/*.ts").filter((file) => !files.includes(file));
  const sources = files.map(parse);
  const fileLines = files.map(countLines);
  const lengths = sources.flatMap((source) => findLengths(source, source));
  const lines = sum(fileLines);
  // Probes are tests that ship: they count as such beside the rest.
  const probeLines = sum(files.filter(isProbe).map(countLines));
  const testLines = sum(tests.map(countLines)) + probeLines;
  return {
    files: files.length,
    lines,
    fileMedian: quantile(fileLines, 0.5),
    fileMax: quantile(fileLines, 1),
    functions: lengths.length,
    functionMedian: quantile(lengths, 0.5),
    functionP90: quantile(lengths, 0.9),
    functionMax: quantile(lengths, 1),
    casts: sum(sources.map((source) => countCasts(source))),
    testLines,
    testRatio: Math.round((100 * testLines) / (lines - probeLines)) / 100,
  };
}

function isProbe(file: string): boolean {
  return file.startsWith(path.join(ROOT, "src", "probes"));
}

function findFiles(pattern: string): string[] {
  return globSync(pattern, { cwd: ROOT }).map((file) => path.join(ROOT, file));
}

function parse(file: string): ts.SourceFile {
  return ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
}

/** Lines that are not blank. */
function countLines(file: string): number {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.filter((line) => line.trim() !== "").length;
}

/** The length in lines of every function that has a name. */
function findLengths(node: ts.Node, source: ts.SourceFile): number[] {
  const inner: number[] = [];
  ts.forEachChild(node, (child) => {
    inner.push(...findLengths(child, source));
  });
  return isNamedFunction(node) ? [lengthOf(node, source), ...inner] : inner;
}

function isNamedFunction(node: ts.Node): boolean {
  if (ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node)) return true;
  if (ts.isConstructorDeclaration(node) || ts.isAccessor(node)) return true;
  if (!ts.isArrowFunction(node) && !ts.isFunctionExpression(node)) return false;
  return ts.isVariableDeclaration(node.parent) || ts.isPropertyAssignment(node.parent);
}

function lengthOf(node: ts.Node, source: ts.SourceFile): number {
  const first = source.getLineAndCharacterOfPosition(node.getStart(source)).line;
  return source.getLineAndCharacterOfPosition(node.end).line - first + 1;
}

function countCasts(node: ts.Node): number {
  let found = ts.isAsExpression(node) && node.type.getText() !== "const" ? 1 : 0;
  ts.forEachChild(node, (child) => {
    found += countCasts(child);
  });
  return found;
}

/** 0 of none. */
function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(measure())}\n`);
