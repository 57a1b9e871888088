import { Socket } from "node:net";

/**
 * What joins a program of ours with whoever started it, until either ends. Nobody else can come to it: it has no name, and
 * what either starts does not inherit it.
 */
export type Channel = {
  isOpen(): boolean;
  /** A connection that goes along is the other's from then on. */
  send(message: object, connection?: Socket): void;
  /** Whoever listens ends all the same when he has nothing else to do. */
  listen(listener: Listener): void;
  close(): void;
};

type Listener = {
  readonly take: (message: unknown, connection: Socket | null) => void;
  readonly onClose?: () => void;
};

/** A child as its parent has it, or a process as it sees itself. */
export type ChannelEnd = {
  readonly connected: boolean;
  readonly channel?: { unref?(): void } | null;
  send?(
    message: object,
    connection: Socket | undefined,
    options: object,
    done: () => void,
  ): unknown;
  on(event: "message", take: (message: unknown, handle: unknown) => void): unknown;
  on(event: "disconnect", close: () => void): unknown;
  disconnect?(): void;
};

export function openChannel(end: ChannelEnd): Channel {
  return {
    isOpen: () => end.connected,
    send: (message, connection) => {
      end.send?.(message, connection, {}, () => {
        // The other has gone: whoever waits for his answer has a limit.
      });
    },
    listen: ({ take, onClose }) => {
      end.on("message", (message, handle) =>
        take(message, handle instanceof Socket ? handle : null),
      );
      end.on("disconnect", () => onClose?.());
      end.channel?.unref?.();
    },
    close: () => {
      if (end.connected) end.disconnect?.();
    },
  };
}
