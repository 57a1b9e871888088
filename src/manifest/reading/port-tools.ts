/**
 * A program that takes its port from its command line, and how. Not here is what takes `$PORT` by itself: Nest, Adonis,
 * react-scripts, Strapi and Node programs that read it. A host name that ends in `.localhost` needs no
 * variable: each that the campaign of stock apps runs lets it in.
 */
export type PortTool = {
  readonly names: readonly string[];
  /** The commands that serve, `""` being none at all; or it serves whatever its first word is but for some. */
  readonly serves: readonly string[] | { readonly unless: readonly string[] };
  readonly port: string;
  readonly host: string;
  /** Whether of a flag that comes twice the last one counts; else what the script has stays. */
  readonly takesLast: boolean;
};

const LONG = { port: "--port $PORT", host: "--host $HOST", takesLast: true };
const VITE = { ...LONG, port: "--port $PORT --strictPort" };
const SHORT = { port: "-p $PORT", host: "-H $HOST", takesLast: true };
const STORYBOOK = { ...LONG, port: "--port $PORT --ci" };
const NEVER = { unless: ["--help", "--version"] };

export const PORT_TOOLS: readonly PortTool[] = [
  { names: ["vite"], serves: { unless: ["build", "optimize", "--help", "--version"] }, ...VITE },
  { names: ["vitepress"], serves: ["", "dev", "serve", "preview"], ...LONG },
  { names: ["react-router"], serves: ["dev"], ...VITE },
  { names: ["remix"], serves: ["vite:dev"], ...VITE },
  { names: ["nuxt", "nuxi"], serves: ["", "dev"], ...LONG },
  { names: ["astro"], serves: ["", "dev", "preview"], ...LONG, takesLast: false },
  { names: ["next"], serves: ["", "dev", "start"], ...SHORT },
  { names: ["ng"], serves: ["serve", "dev", "s"], ...LONG },
  { names: ["webpack", "rspack"], serves: ["serve", "server", "s"], ...LONG },
  { names: ["webpack-dev-server"], serves: NEVER, ...LONG },
  { names: ["rsbuild"], serves: ["", "dev", "preview"], ...LONG },
  { names: ["vue-cli-service"], serves: ["serve"], ...LONG },
  { names: ["gatsby"], serves: ["develop"], ...SHORT, takesLast: false },
  { names: ["parcel"], serves: { unless: ["build", "watch", "help", "--version"] }, ...LONG },
  { names: ["fastify"], serves: ["start"], ...LONG, host: "--address $HOST", takesLast: false },
  { names: ["storybook"], serves: ["dev"], ...STORYBOOK },
  { names: ["start-storybook"], serves: NEVER, ...STORYBOOK },
  { names: ["docusaurus"], serves: ["start"], ...LONG, port: "--port $PORT --no-open" },
  { names: ["vinxi"], serves: ["dev", "start"], ...LONG },
  { names: ["wrangler"], serves: ["dev"], ...LONG, host: "--ip $HOST", takesLast: false },
  {
    names: ["serve"],
    serves: NEVER,
    port: "--listen tcp://$HOST:$PORT",
    host: "",
    takesLast: false,
  },
  { names: ["http-server"], serves: NEVER, port: "-p $PORT", host: "-a $HOST", takesLast: false },
  { names: ["json-server"], serves: NEVER, ...LONG, takesLast: false },
];
