import { systemClock } from "../../base/clock.ts";
import { Problem } from "../../base/problem.ts";
import type { LogLine, Progress } from "../../environment/environment.ts";
import type { AppName } from "../../environment/name.ts";
import type { CallInput, CallName, CallOutput } from "../../protocol/calls.ts";
import type { EnvironmentView } from "../../protocol/schemas.ts";
import { findWorkspace } from "../../workspace/workspace.ts";
import type { Workspace } from "../../workspace/workspace.ts";
import type { CallEvents } from "../connection/client.ts";
import { placeIdOf, placeOf } from "../connection/place.ts";
import type { StreamName } from "../connection/streams.ts";
import type { ParsedArguments } from "../grammar/command-shape.ts";
import { flagsExclusive } from "../grammar/problems.ts";
import type { Context } from "../terminal/context.ts";
import { openProgress } from "../terminal/progress.ts";
import type { ProgressMode, ProgressView } from "../terminal/progress.ts";
import { styleFor } from "../terminal/style.ts";
import type { LogLook } from "../text/log-text.ts";
import { attending, type Beside, followBeside, followStream } from "./following.ts";
import { bindingStale } from "./problems.ts";
import { ServerCalls } from "./server-calls.ts";
import { findApp, listSources, requireApp, requireTarget } from "./target.ts";
import type { Target, TargetSources } from "./target.ts";

/** What a command's `run` works with: the workspace it stands in, and the server. */
export class Session {
  readonly context: Context;
  readonly isJson: boolean;
  readonly #isQuiet: boolean;
  readonly #parsed: ParsedArguments;
  readonly #sources: TargetSources;
  readonly #server: ServerCalls;
  readonly #folder: string;
  #workspace: Promise<Workspace> | undefined;
  /** One for all calls under way: two would draw over each other. */
  #view: ProgressView | undefined;
  #calls = 0;

  constructor(context: Context, parsed: ParsedArguments, folder: string = context.folder) {
    this.context = context;
    this.#server = new ServerCalls(context, (text) => this.note(text));
    this.isJson = parsed.flags.has("json");
    this.#isQuiet = parsed.flags.has("quiet");
    this.#parsed = parsed;
    this.#folder = folder;
    this.#sources = {
      chosen: {
        app: parsed.values.get("app") ?? null,
        environment: parsed.values.get("env") ?? null,
      },
      home: placeIdOf(context),
      workspace: () => this.workspace(),
      listApps: async () => (await this.call("app.list", {})).map(({ name }) => name),
      // A folder of this machine says nothing to a server elsewhere.
      findAppOf: async (inside) =>
        this.isAfar ? null : (await this.call("app.find", { folder: inside })).app,
    };
  }

  /** The same, as if called in another folder. */
  in(folder: string): Session {
    return new Session(this.context, this.#parsed, folder);
  }

  /** The same, for what is left to do after the person has stopped it; it takes its time, but not for ever. */
  afterStop(limitMs: number): Session {
    const context = { ...this.context, signal: AbortSignal.timeout(limitMs) };
    return new Session(context, this.#parsed, this.#folder);
  }

  /** Whether commands are for a server that is not this machine's own. */
  get isAfar(): boolean {
    return this.context.remote !== undefined;
  }

  /** What a binding names this server by. */
  get placeId(): string {
    return placeIdOf(this.context);
  }

  /** --app. */
  get chosenApp(): string | null {
    return this.#sources.chosen.app;
  }

  workspace(): Promise<Workspace> {
    this.#workspace ??= findWorkspace(this.#folder);
    return this.#workspace;
  }

  /** The id of the environment that this workspace is bound to; null where it is bound to none of this server. */
  async boundId(): Promise<string | null> {
    const { binding } = await this.workspace();
    return binding?.home === this.#sources.home ? binding.id : null;
  }

  app(): Promise<AppName> {
    return requireApp(this.#sources);
  }

  findApp(): Promise<AppName | undefined> {
    return findApp(this.#sources);
  }

  /** The environment a command is about: `name` where its arguments say it, else --env, else the workspace's. */
  async target(name: string | null = null): Promise<Target> {
    const { target, isBound } = await this.#findTarget(name);
    if (isBound) await this.#showBound(target);
    return target;
  }

  /** The same, as the server shows it now. @param measured with its bytes counted, which takes a moment */
  async environment(name: string | null = null, measured?: "measured"): Promise<EnvironmentView> {
    const { target, isBound } = await this.#findTarget(name);
    const wanted = measured === undefined ? target : { ...target, measure: true };
    return isBound ? this.#showBound(wanted) : this.call("environment.show", wanted);
  }

  defaultSources(app: AppName): ReturnType<typeof listSources> {
    return listSources(this.#sources, app);
  }

  /** Asks the server, which is started if need be, and shows how it gets on. */
  async call<Name extends CallName>(
    name: Name,
    input: CallInput<Name>,
    events: CallEvents = {},
  ): Promise<CallOutput<Name>> {
    return this.show(async (view) =>
      this.#server.ask(
        { name, input },
        {
          onProgress: (progress) => view.report(progress),
          onLine: (line) => view.line(line),
          ...events,
        },
      ),
    );
  }

  /** Shows how long work gets on, which no server does. */
  async show<T>(work: (view: ProgressView) => Promise<T>): Promise<T> {
    const view = (this.#view ??= this.#openProgress());
    this.#calls += 1;
    try {
      return await work(view);
    } finally {
      this.#calls -= 1;
      if (this.#calls === 0) this.#closeProgress();
    }
  }

  /** Shows how one of several calls gets on that are made side by side. */
  progressOf(name: string): (progress: Progress) => void {
    return (progress) => this.#view?.report(progress, name);
  }

  /** Shows lines until the person stops it or the stream ends; goes on after a restart of the server. */
  async follow(
    input: CallInput<StreamName>,
    { name, beside, ...look }: LogLook & { readonly name: StreamName; readonly beside?: Beside },
  ): Promise<void> {
    const show = await this.#openLines(look);
    try {
      if (beside === undefined) await followStream(this.#server, { name, input }, show);
      else await followBeside(this.#server, { name, input }, { show, beside });
    } catch (error) {
      if (this.context.signal?.aborted !== true) throw error;
    }
  }

  /** Asks a server that runs, also once the person has stopped the command. */
  async ask<Name extends CallName>(
    name: Name,
    input: CallInput<Name>,
    signal?: AbortSignal,
  ): Promise<CallOutput<Name>> {
    const { callServer } = await import("../connection/client.ts");
    return callServer(placeOf(this.context), { name, input }, { signal });
  }

  /** Works while the server keeps the environment from falling asleep; one that is restarted is asked again. */
  async attending<T>(target: CallInput<"environment.attend">, work: () => Promise<T>): Promise<T> {
    return attending(placeOf(this.context), target, work);
  }

  /** A line about what happens, for a person. */
  note(text: string): void {
    if (this.isJson || this.#isQuiet) return;
    if (this.#view === undefined) this.context.stderr.write(`${text}\n`);
    else this.#view.note(text);
  }

  async confirm(loss: string): Promise<void> {
    const { confirmLoss } = await import("../terminal/prompts.ts");
    return confirmLoss(this.context, loss, this.isJson);
  }

  /** `isBound`: only this workspace's binding says so. */
  async #findTarget(name: string | null): Promise<{ target: Target; isBound: boolean }> {
    const { chosen } = this.#sources;
    if (name !== null && chosen.environment !== null)
      throw flagsExclusive("--env", JSON.stringify(name));
    const environment = name ?? chosen.environment;
    const target = await requireTarget({ ...this.#sources, chosen: { ...chosen, environment } });
    return { target, isBound: environment === null };
  }

  /** Another environment may have been given the name of the one that was bound. @throws `binding_stale` */
  async #showBound(target: CallInput<"environment.show">): Promise<EnvironmentView> {
    const name = `${target.app}/${target.environment}`;
    try {
      const shown = await this.call("environment.show", target);
      if (shown.id !== (await this.workspace()).binding?.id) throw bindingStale(name);
      return shown;
    } catch (error) {
      const isGone = error instanceof Problem && /^(environment|app)_unknown$/.test(error.code);
      throw isGone ? bindingStale(name) : error;
    }
  }

  #openProgress(): ProgressView {
    const { stderr, environment } = this.context;
    return openProgress(
      this.#progressMode(),
      stderr,
      styleFor(stderr, environment, systemClock.now()),
    );
  }

  #closeProgress(): void {
    this.#view?.close();
    this.#view = undefined;
  }

  #progressMode(): ProgressMode {
    if (this.isJson || this.#isQuiet) return "none";
    return this.context.stderr.isTerminal ? "live" : "plain";
  }

  async #openLines(look: LogLook): Promise<(line: LogLine) => void> {
    const { stdout, environment } = this.context;
    const write = (words: string): void => {
      if (this.#view === undefined) stdout.write(words);
      else this.#view.above(() => stdout.write(words));
    };
    if (this.isJson) return (line) => write(`${JSON.stringify(line)}\n`);
    const { LogText } = await import("../text/log-text.ts");
    const text = new LogText(styleFor(stdout, environment, systemClock.now()), look);
    return (line) => write(`${text.format(line)}\n`);
  }
}
