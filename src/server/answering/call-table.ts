import type { CallName } from "../../protocol/calls.ts";
import { addUser } from "../calls/add-user.ts";
import { answerTree } from "../calls/answer-tree.ts";
import { applyToTree } from "../calls/apply-to-tree.ts";
import { attendEnvironment } from "../calls/attend-environment.ts";
import { closeTree } from "../calls/close-tree.ts";
import { commitTree } from "../calls/commit-tree.ts";
import { compareFiles } from "../calls/compare-files.ts";
import { createApp } from "../calls/create-app.ts";
import { createEnvironment } from "../calls/create-environment.ts";
import { createToken } from "../calls/create-token.ts";
import { deleteApp } from "../calls/delete-app.ts";
import { deleteEnvironment } from "../calls/delete-environment.ts";
import { deleteVariables } from "../calls/delete-variables.ts";
import { developEnvironment } from "../calls/develop-environment.ts";
import { examine } from "../calls/examine.ts";
import { findApp } from "../calls/find-app.ts";
import { frontEnvironment } from "../calls/front-environment.ts";
import { importVariables } from "../calls/import-variables.ts";
import { listApps } from "../calls/list-apps.ts";
import { listAudit } from "../calls/list-audit.ts";
import { listEnvironments } from "../calls/list-environments.ts";
import { listPieces } from "../calls/list-pieces.ts";
import { listTokens } from "../calls/list-tokens.ts";
import { listTrashed } from "../calls/list-trashed.ts";
import { listUse } from "../calls/list-use.ts";
import { listUsers } from "../calls/list-users.ts";
import { listVariables } from "../calls/list-variables.ts";
import { lookAtTree } from "../calls/look-at-tree.ts";
import { measureDatabase } from "../calls/measure-database.ts";
import { openTree } from "../calls/open-tree.ts";
import { pullFiles } from "../calls/pull-files.ts";
import { pushFiles } from "../calls/push-files.ts";
import { queryDatabase } from "../calls/query-database.ts";
import { readEnvironmentVariables } from "../calls/read-environment-variables.ts";
import { readLogs } from "../calls/read-logs.ts";
import { readTree } from "../calls/read-tree.ts";
import { removeUser } from "../calls/remove-user.ts";
import { resetEnvironment } from "../calls/reset-environment.ts";
import { restoreFiles } from "../calls/restore-files.ts";
import { revokeToken } from "../calls/revoke-token.ts";
import { serverAuthority } from "../calls/server-authority.ts";
import { serverDomain } from "../calls/server-domain.ts";
import { serverLeave } from "../calls/server-leave.ts";
import { serverStatus } from "../calls/server-status.ts";
import { serverStop } from "../calls/server-stop.ts";
import { setVariables } from "../calls/set-variables.ts";
import { showEnvironment } from "../calls/show-environment.ts";
import { stageInTree } from "../calls/stage-in-tree.ts";
import { startEnvironment } from "../calls/start-environment.ts";
import { stopEnvironment } from "../calls/stop-environment.ts";
import { takeUpTree } from "../calls/take-up-tree.ts";
import { verifyEnvironment } from "../calls/verify-environment.ts";
import { waitForTree } from "../calls/wait-for-tree.ts";
import { whoAmI } from "../calls/who-am-i.ts";
import type { Call } from "../session/call.ts";

export const CALL_TABLE: Readonly<Record<CallName, Call>> = {
  "files.status": compareFiles,
  "app.create": createApp,
  "environment.attend": attendEnvironment,
  "environment.create": createEnvironment,
  "app.delete": deleteApp,
  "environment.delete": deleteEnvironment,
  "variable.delete": deleteVariables,
  "environment.develop": developEnvironment,
  "tree.open": openTree,
  "tree.look": lookAtTree,
  "tree.answer": answerTree,
  "tree.read": readTree,
  "tree.pieces": listPieces,
  "tree.stage": stageInTree,
  "tree.apply": applyToTree,
  "tree.commit": commitTree,
  "tree.wait": waitForTree,
  "tree.arrived": takeUpTree,
  "tree.close": closeTree,
  "access.whoami": whoAmI,
  "access.audit": listAudit,
  "user.add": addUser,
  "user.list": listUsers,
  "user.remove": removeUser,
  "token.create": createToken,
  "token.list": listTokens,
  "token.revoke": revokeToken,
  doctor: examine,
  "app.find": findApp,
  "environment.front": frontEnvironment,
  "variable.import": importVariables,
  "app.list": listApps,
  "environment.list": listEnvironments,
  "environment.use": listUse,
  "variable.list": listVariables,
  "files.pull": pullFiles,
  "files.push": pushFiles,
  "files.restore": restoreFiles,
  "files.trash": listTrashed,
  "database.query": queryDatabase,
  "database.size": measureDatabase,
  "environment.variables": readEnvironmentVariables,
  "environment.verify": verifyEnvironment,
  "environment.logs": readLogs,
  "server.authority": serverAuthority,
  "server.domain": serverDomain,
  "server.leave": serverLeave,
  "server.status": serverStatus,
  "server.stop": serverStop,
  "variable.set": setVariables,
  "environment.show": showEnvironment,
  "environment.reset": resetEnvironment,
  "environment.start": startEnvironment,
  "environment.stop": stopEnvironment,
};

export function isCallName(name: string): name is CallName {
  return Object.hasOwn(CALL_TABLE, name);
}

/** The call of this name, as a client writes it. */
export function findCall(name: string): Call | undefined {
  return Object.entries(CALL_TABLE).find(([known]) => known === name)?.[1];
}
