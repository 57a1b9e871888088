import { promisify } from "node:util";
import { zstdCompress, zstdDecompress } from "node:zlib";

type Where = {
  readonly path: string;
  readonly offset: number;
  /** Nothing follows it. */
  readonly isEnd: boolean;
};
/** A part of a file: its bytes from an offset on. */
export type BytesPart = Where & { readonly bytes: Uint8Array };
/** One that is the same in the file that stands there, from an offset on. */
export type CopyPart = Where & { readonly from: number; readonly size: number };
export type Part = BytesPart | CopyPart;

/** Parts of many files as they go by a wire: small ones together, compressed as one. */
export type Batch = {
  readonly parts: readonly {
    readonly path: string;
    readonly offset: number;
    readonly size: number;
    readonly isEnd: boolean;
    /** Of what is the same there: no bytes come of it. */
    readonly from?: number | undefined;
  }[];
  /** Base64 of zstd of all their bytes. */
  readonly packed: string;
};

/** Of a batch, before it is packed: what a call holds of it stays below a call's own limit, however badly it packs. */
export const MOST_BATCH_BYTES = 2 * 1024 * 1024;
/** Many empty files make a batch too. */
export const MOST_BATCH_PARTS = 2_000;

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

export async function packBatch(parts: readonly Part[]): Promise<Batch> {
  const bytes = Buffer.concat(parts.flatMap((part) => ("bytes" in part ? part.bytes : [])));
  return {
    parts: parts.map((part) => {
      const { path, offset, isEnd } = part;
      if ("from" in part) return { path, offset, size: part.size, isEnd, from: part.from };
      return { path, offset, size: part.bytes.length, isEnd };
    }),
    packed: bytes.length === 0 ? "" : (await compress(bytes)).toString("base64"),
  };
}

/** undefined: it is not what it says, or more than a batch may be. */
export async function unpackBatch({ parts, packed }: Batch): Promise<readonly Part[] | undefined> {
  const size = parts.reduce((sum, part) => sum + countBytes(part), 0);
  if (size > MOST_BATCH_BYTES || parts.length > MOST_BATCH_PARTS) return undefined;
  const bytes = await decompressed(packed, size);
  if (bytes?.length !== size) return undefined;
  let at = 0;
  return parts.map((part) => {
    const { path, offset, isEnd, from } = part;
    if (from !== undefined) return { path, offset, isEnd, from, size: part.size };
    at += part.size;
    return { path, offset, isEnd, bytes: bytes.subarray(at - part.size, at) };
  });
}

function countBytes({ size, from }: Batch["parts"][number]): number {
  return from === undefined ? size : 0;
}

async function decompressed(packed: string, size: number): Promise<Buffer | undefined> {
  if (size === 0) return packed === "" ? Buffer.alloc(0) : undefined;
  try {
    return await decompress(Buffer.from(packed, "base64"), { maxOutputLength: size });
  } catch {
    // Whoever sent it is told that it makes no sense.
    return undefined;
  }
}
