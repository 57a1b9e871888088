import { variableUnknown } from "../../environment/problems.ts";
import { defineCommand } from "../session/command.ts";
import { variableSecret } from "../session/problems.ts";

export const varGet = defineCommand({
  name: "var get",
  summary: "Print a variable's value",
  scope: "environment",
  positionals: [{ name: "VARIABLE", kind: "required", summary: "The variable" }],
  examples: [
    { line: "ramet var get LOG_LEVEL", why: "Its value alone" },
    { line: "ramet var get LOG_LEVEL --env staging", why: "Another environment's" },
  ],
  async run(input, session) {
    const name = input.required("VARIABLE");
    const variables = await session.call("variable.list", await session.target());
    const variable = variables.find((candidate) => candidate.name === name);
    if (variable === undefined) {
      const known = variables.map((candidate) => candidate.name);
      throw variableUnknown([name], known);
    }
    if (variable.secret) throw variableSecret(name);
    return { name, value: variable.value };
  },
  toText: ({ value }) => value ?? "",
});
