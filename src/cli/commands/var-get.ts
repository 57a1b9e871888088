import { variableUnknown } from "../../environment/problems.ts";
import { defineCommand } from "../command.ts";
import { variableSecret } from "../problems.ts";

export const varGet = defineCommand({
  name: "var get",
  summary: "Print a variable's value",
  scope: "environment",
  positionals: [{ name: "NAME", kind: "required", summary: "The variable" }],
  async run(input, session) {
    const name = input.required("NAME");
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
