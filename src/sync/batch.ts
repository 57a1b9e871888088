import { promisify } from "node:util";
import { zstdCompress, zstdDecompress } from "node:zlib";

/** A part of a file: its bytes from an offset on. */
export type Part = {
  readonly path: string;
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** Nothing follows it. */
  readonly isEnd: boolean;
};

/** Parts of many files as they go by a wire: small ones together, compressed as one. */
export type Batch = {
  readonly parts: readonly {
    readonly path: string;
    readonly offset: number;
    readonly size: number;
    readonly isEnd: boolean;
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
  const bytes = Buffer.concat(parts.map((part) => part.bytes));
  return {
    parts: parts.map(({ path, offset, isEnd, bytes: { length: size } }) => ({
      path,
      offset,
      size,
      isEnd,
    })),
    packed: bytes.length === 0 ? "" : (await compress(bytes)).toString("base64"),
  };
}

/** undefined: it is not what it says, or more than a batch may be. */
export async function unpackBatch({ parts, packed }: Batch): Promise<readonly Part[] | undefined> {
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  if (size > MOST_BATCH_BYTES || parts.length > MOST_BATCH_PARTS) return undefined;
  const bytes = await decompressed(packed, size);
  if (bytes?.length !== size) return undefined;
  let at = 0;
  return parts.map(({ path, offset, isEnd, size: length }) => {
    at += length;
    return { path, offset, isEnd, bytes: bytes.subarray(at - length, at) };
  });
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
