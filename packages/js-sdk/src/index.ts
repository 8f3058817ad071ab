/**
 * The JavaScript SDK of arcrun, the workflow engine for people and AI agents.
 *
 * @packageDocumentation
 */

export type { Auth } from "./auth/auth.js";
export type { AuthenticatedClient, BoundRequestInit } from "./auth/bound.js";
export type { Creds } from "./auth/creds.js";
export type { BindOptions, PushCredentialOptions, SetupOptions, TokenOptions } from "./auth/options.js";
export {
  Arcrun,
  type ArcrunOptions,
  type ClientOptions,
  type RawResponse,
  type RequestOptions,
} from "./client.js";
export type { Components } from "./components/components.js";
export type { SettingsOptions } from "./core/config.js";
export {
  APIConnectionError,
  APIStatusError,
  APITimeoutError,
  ArcrunError,
  AuthenticationError,
  BadRequestError,
  ConfigurationError,
  ConflictError,
  type ErrorDetail,
  InsecureTransportError,
  InvalidArgumentError,
  MissingSecretError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
  RecipeChangedError,
  RecipeOriginError,
  SealedCredentialsUnsupportedError,
  ServerError,
  TokenExchangeError,
  UnexpectedResponseError,
  UnknownServiceError,
  WorkflowPaused,
  WorkflowRunError,
} from "./core/errors.js";
export type { Secrets, ServiceName, Services } from "./core/services.js";
export type {
  AcceptedRun,
  AuthRecipe,
  BacktestAnswer,
  BacktestedRecipe,
  BacktestRun,
  CallOptions,
  Component,
  ComponentResult,
  Credential,
  CredentialFormat,
  DeletedCredential,
  DeletedRecipe,
  DeletedWorkflow,
  Execution,
  Graph,
  Health,
  LabeledRecipe,
  MessageDiff,
  PromptMessage,
  PromptRange,
  PushedCredential,
  PushedRecipe,
  PushedWorkflow,
  RecipeDiff,
  RecipeLabel,
  RecipeSummary,
  RecipeTest,
  RecipeVersion,
  RemovedLabel,
  RenderedRecipe,
  RequiredSecret,
  ResumedRun,
  Run,
  RunEvent,
  RunResult,
  RunStatus,
  RunSummary,
  RunWarning,
  Sensitivity,
  SetupResult,
  StoredRecipe,
  TestedRecipe,
  Workflow,
  WorkflowDocument,
  WorkflowSummary,
} from "./core/types.js";
export type { Fetch } from "./http/fetch.js";
export type { RecipeKind } from "./stored/names.js";
export type {
  BacktestOptions,
  DeleteRecipeOptions,
  LabelOptions,
  ListRecipesOptions,
  PushRecipeOptions,
  RecipeOptions,
  Recipes,
  RenderOptions,
  TestRecipeOptions,
} from "./stored/recipes.js";
export { version } from "./version.js";
export type {
  ListRunsOptions,
  ResumeOptions,
  RetryRunOptions,
  RunEventsOptions,
  Runs,
} from "./workflows/runs.js";
export type { ExecutionsOptions, PushWorkflowOptions, RunOptions, Workflows } from "./workflows/workflows.js";
