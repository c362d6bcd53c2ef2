// Names of attributes, scopes and events. In: nothing. Out: constants. OpenTelemetry's where it has one (general, HTTP, RPC and GenAI semantic
// conventions; A2A as its draft has it), else `parley.*`.

export const SCOPE = "parley.proxy";
export const EVENT_REQUEST = "parley.request";

export const SERVICE_NAME = "service.name";
export const SERVICE_VERSION = "service.version";
export const SERVICE_INSTANCE_ID = "service.instance.id";

export const HTTP_STATUS = "http.response.status_code";
export const HTTP_REQUEST_SIZE = "http.request.body.size";
export const HTTP_RESPONSE_SIZE = "http.response.body.size";
export const SERVER_ADDRESS = "server.address";
export const ERROR_TYPE = "error.type";
export const USER_ID = "user.id";
export const RPC_SYSTEM = "rpc.system";
export const RPC_ERROR_CODE = "rpc.jsonrpc.error_code";

export const GEN_AI_OPERATION = "gen_ai.operation.name";
export const GEN_AI_AGENT = "gen_ai.agent.name";
export const GEN_AI_CONVERSATION = "gen_ai.conversation.id";
export const GEN_AI_INPUT_TOKENS = "gen_ai.usage.input_tokens";
export const GEN_AI_OUTPUT_TOKENS = "gen_ai.usage.output_tokens";

export const A2A_METHOD = "a2a.method.name";
export const A2A_VERSION = "a2a.protocol.version";
export const A2A_TASK_ID = "a2a.task.id";
export const A2A_CONTEXT_ID = "a2a.context.id";
export const A2A_TASK_STATE = "a2a.task.state";

export const KEY = "parley.key";
export const FINGERPRINT = "parley.key.fingerprint";
export const KEY_FAULT = "parley.key.fault";
export const TEAM = "parley.team";
export const BACKEND = "parley.backend";
export const BINDING = "parley.binding";
export const STREAMING = "parley.streaming";
export const EVENTS = "parley.events";
export const SENT_METHOD = "parley.method";
export const OUTCOME = "parley.outcome";
export const REASON = "parley.reason";
export const LATENCY = "parley.latency_ms";
export const FIRST_BYTE = "parley.first_byte_ms";
export const COST = "parley.cost";
export const COST_SOURCE = "parley.cost.source";
export const REQUEST = "parley.request.content";
export const RESPONSE = "parley.response.content";
