// 100 MB in lines of 100 bytes, or as many megabytes as MEGABYTES says.
const lines = `${"x".repeat(99)}\n`.repeat(10_000);
for (let n = 0; n < Number(process.env.MEGABYTES ?? 100); n += 1)
  if (!process.stdout.write(lines)) await new Promise((go) => process.stdout.once("drain", go));
