"""What Google's Gemini API refuses, in its words where they are known."""

import re
from itertools import pairwise
from typing import Any

from msgspec import Struct

from codi.lab.formats.google import seal_of_call
from codi.lab.http1 import HttpRequest
from codi.lab.seals import seal
from codi.lab.sent import Sent
from codi.lab.validators import images
from codi.lab.validators.fields import check_shape, named
from codi.lab.validators.refusal import Refusal

_PARAMETERS = named(
    "contents systemInstruction tools toolConfig generationConfig safetySettings cachedContent labels model"
)
_GENERATION = named(
    "stopSequences responseMimeType responseSchema responseJsonSchema responseModalities candidateCount maxOutputTokens "
    "temperature topP topK seed presencePenalty frequencyPenalty responseLogprobs logprobs enableEnhancedCivicAnswers "
    "speechConfig thinkingConfig mediaResolution imageConfig"
)
_CONTENT_FIELDS = ("text", "inlineData", "functionCall", "functionResponse", "fileData")
_PART_FIELDS = {*_CONTENT_FIELDS, "thought", "thoughtSignature", "videoMetadata", "mediaResolution"}
_SCHEMA = named(
    "type format title description nullable enum maxItems minItems properties required minProperties maxProperties minLength "
    "maxLength pattern example anyOf propertyOrdering default items minimum maximum"
)
_TYPES = {"string", "number", "integer", "boolean", "array", "object", "null"}
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}")
_ACCEPTED = (*images.ACCEPTED, "image/heic", "image/heif")
_LARGEST_REQUEST = 20 * 1024 * 1024
# What the service itself tells clients to put under calls that another model made.
_WAIVERS = ("skip_thought_signature_validator", "context_engineering_is_the_way_to_go")


class _Blob(Struct):
    mimeType: str | None = None
    data: str | None = None


class _Called(Struct):
    name: str | None = None
    id: str | None = None


class _Answered(_Called):
    parts: list[dict[str, Any]] = []


class _Part(Struct):
    text: str | None = None
    thoughtSignature: str | None = None
    functionCall: _Called | None = None
    functionResponse: _Answered | None = None
    inlineData: _Blob | None = None


class _Content(Struct):
    role: str | None = None
    parts: list[_Part] = []


class _Schema(Struct):
    type: str | None = None
    properties: dict[str, "_Schema"] = {}
    required: list[str] = []
    items: "_Schema | None" = None
    anyOf: list["_Schema"] = []


class _Declared(Struct):
    name: str | None = None
    parameters: _Schema | None = None


class _Tool(Struct):
    functionDeclarations: list[_Declared] = []


class _Calling(Struct):
    mode: str | None = None
    allowedFunctionNames: list[str] = []


class _ToolConfig(Struct):
    functionCallingConfig: _Calling | None = None


class _Thinking(Struct):
    thinkingBudget: int | None = None
    thinkingLevel: str | None = None
    includeThoughts: bool | None = None


class _Generation(Struct):
    temperature: float | None = None
    maxOutputTokens: int | None = None
    stopSequences: list[str] = []
    thinkingConfig: _Thinking | None = None


class _Shape(Struct):
    contents: list[_Content] = []
    systemInstruction: _Content | None = None
    tools: list[_Tool] | None = None
    toolConfig: _ToolConfig | None = None
    generationConfig: _Generation | None = None


def check(request: HttpRequest, body: dict[str, Any], model: str, sent: Sent) -> None:
    """Raises Refusal."""
    if not ({"x-goog-api-key", "authorization"} & set(request.headers)) and "key" not in request.query:
        raise Refusal(
            "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other "
            "form of API consumer identity to call this API.",
            status=403,
        )
    if request.path.endswith(":streamGenerateContent") and request.query.get("alt") != "sse":
        raise Refusal("The lab streams server-sent events only: add alt=sse to the query.")
    if len(request.body) > _LARGEST_REQUEST:
        raise Refusal("Request payload size exceeds the limit: 20971520 bytes.")
    _only(body, _PARAMETERS, "")
    check_shape(body, _Shape)
    _check_generation(body.get("generationConfig"))
    _check_tools(body)
    if "systemInstruction" in body:
        for part in _parts(body["systemInstruction"], "system_instruction"):
            if set(part) != {"text"} or not part["text"]:
                raise Refusal("System instruction: only non-empty text is supported.")
    contents = body.get("contents")
    if not isinstance(contents, list) or not contents:
        raise Refusal("* GenerateContentRequest.contents: contents is not specified")
    for number, content in enumerate(contents):
        _check_content(number, content)
    _check_turns(contents)
    _check_signatures(contents, model, sent)


def check_count(request: HttpRequest, body: dict[str, Any], model: str, sent: Sent) -> None:
    """For the method that counts tokens; raises Refusal."""
    asked = body.get("generateContentRequest")
    if asked is None:
        _only(body, frozenset({"contents"}), "")
        check(request, body, model, sent)
    elif isinstance(asked, dict):
        check(request, {name: value for name, value in asked.items() if name != "model"}, model, sent)


def _only(plain: Any, known: frozenset[str] | set[str], where: str) -> None:
    if not isinstance(plain, dict):
        raise Refusal(f"Invalid JSON payload received. Expected an object at '{where}'.")
    for name in plain:
        if name not in known:
            at = f" at '{where}'" if where else ""
            raise Refusal(f'Invalid JSON payload received. Unknown name "{name}"{at}: Cannot find field.')


def _check_generation(config: Any) -> None:
    if config is None:
        return
    _only(config, _GENERATION, "generation_config")
    most = config.get("maxOutputTokens")
    if most is not None and (not isinstance(most, int) or most < 1):
        raise Refusal(
            "* GenerateContentRequest.generation_config.max_output_tokens: max_output_tokens must be positive."
        )
    temperature = config.get("temperature")
    if temperature is not None and not (isinstance(temperature, int | float) and 0 <= temperature <= 2):
        raise Refusal(
            "* GenerateContentRequest.generation_config.temperature: temperature must be in the range [0.0, 2.0]."
        )
    if len(config.get("stopSequences") or ()) > 5:
        raise Refusal(
            "* GenerateContentRequest.generation_config.stop_sequences: at most 5 stop sequences are allowed."
        )
    thinking = config.get("thinkingConfig")
    if thinking is None:
        return
    _only(thinking, {"includeThoughts", "thinkingBudget", "thinkingLevel"}, "generation_config.thinking_config")
    if "thinkingBudget" in thinking and "thinkingLevel" in thinking:
        raise Refusal("You can only set only one of thinking budget and thinking level.")
    budget = thinking.get("thinkingBudget", 0)
    if not isinstance(budget, int) or not -1 <= budget <= 32768:
        raise Refusal(f"The thinking budget {budget} is invalid. Please choose a value between 128 and 32768.")
    level = thinking.get("thinkingLevel")
    if level is not None and str(level).lower() not in ("minimal", "low", "medium", "high"):
        raise Refusal(f"Invalid value at 'generation_config.thinking_config.thinking_level': \"{level}\"")


def _check_tools(body: dict[str, Any]) -> None:
    names: list[str] = []
    for number, tool in enumerate(body.get("tools") or ()):
        where = f"tools[{number}]"
        _only(tool, {"functionDeclarations", "googleSearch", "codeExecution", "urlContext"}, where)
        for index, declared in enumerate(tool.get("functionDeclarations") or ()):
            at = f"{where}.function_declarations[{index}]"
            known = {
                "name",
                "description",
                "parameters",
                "parametersJsonSchema",
                "response",
                "responseJsonSchema",
                "behavior",
            }
            _only(declared, known, at)
            if not isinstance(declared.get("name"), str) or not _NAME.fullmatch(declared["name"]):
                raise Refusal(
                    f"* GenerateContentRequest.{at}.name: Invalid function name. Must start with a letter or an underscore. "
                    "Must be alphameric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum "
                    "length of 64."
                )
            if "parameters" in declared and "parametersJsonSchema" in declared:
                raise Refusal(f"{at}: only one of parameters and parameters_json_schema may be set.")
            if "parameters" in declared:
                _check_schema(declared["parameters"], f"{at}.parameters")
            names.append(declared["name"])
    if len(set(names)) < len(names):
        raise Refusal(f"Duplicate function declaration found: {next(name for name in names if names.count(name) > 1)}")
    config = (body.get("toolConfig") or {}).get("functionCallingConfig") or {}
    _only(
        config, {"mode", "allowedFunctionNames", "streamFunctionCallArguments"}, "tool_config.function_calling_config"
    )
    for name in config.get("allowedFunctionNames") or ():
        if name not in names:
            raise Refusal(f"allowed_function_names: the function {name} is not declared.")


def _check_schema(schema: Any, where: str) -> None:
    _only(schema, _SCHEMA, where)
    kind = schema.get("type")
    if kind is None and "anyOf" not in schema:
        raise Refusal(f"* GenerateContentRequest.{where}.type: must be specified")
    if kind is not None and (not isinstance(kind, str) or kind.lower() not in _TYPES):
        raise Refusal(f"Invalid value at '{where}.type': {kind!r}")
    if "enum" in schema and str(kind).lower() not in ("string", "integer", "number"):
        raise Refusal(f"* GenerateContentRequest.{where}.enum: only allowed for STRING type")
    if str(kind).lower() == "array" and "items" not in schema:
        raise Refusal(f"* GenerateContentRequest.{where}.items: missing field.")
    for name, inner in (schema.get("properties") or {}).items():
        _check_schema(inner, f"{where}.properties[{name}]")
    for name in schema.get("required") or ():
        if name not in (schema.get("properties") or {}):
            raise Refusal(f"* GenerateContentRequest.{where}.required: property is not defined: {name}")
    if "items" in schema:
        _check_schema(schema["items"], f"{where}.items")
    for index, inner in enumerate(schema.get("anyOf") or ()):
        _check_schema(inner, f"{where}.any_of[{index}]")


def _parts(content: Any, where: str) -> list[dict[str, Any]]:
    _only(content, {"role", "parts"}, where)
    parts = content.get("parts")
    if not isinstance(parts, list) or not parts:
        raise Refusal(f"* GenerateContentRequest.{where}.parts: contents.parts must not be empty.")
    return parts


def _check_content(number: int, content: Any) -> None:
    where = f"contents[{number}]"
    for index, part in enumerate(_parts(content, where)):
        at = f"{where}.parts[{index}]"
        _only(part, _PART_FIELDS, at)
        kinds = [name for name in _CONTENT_FIELDS if name in part]
        if len(kinds) != 1:
            raise Refusal(
                f"* GenerateContentRequest.{at}.data: required oneof field 'data' must have one initialized field"
            )
        _check_part(part, kinds[0], content.get("role"), at)
    if content.get("role") not in ("user", "model"):
        raise Refusal("Please use a valid role: user, model.")


def _check_part(part: dict[str, Any], kind: str, role: Any, where: str) -> None:
    if kind == "text" and (not isinstance(part["text"], str) or (not part["text"] and "thoughtSignature" not in part)):
        raise Refusal(f"* GenerateContentRequest.{where}: contents.parts must not be empty.")
    if kind == "functionCall":
        _only(part[kind], {"id", "name", "args"}, f"{where}.function_call")
        if role != "model" or not part[kind].get("name") or not isinstance(part[kind].get("args", {}), dict):
            raise Refusal(
                f"* GenerateContentRequest.{where}.function_call: a call has a name and stands in a model's turn."
            )
    if kind == "functionResponse":
        _only(
            part[kind], {"id", "name", "response", "parts", "willContinue", "scheduling"}, f"{where}.function_response"
        )
        if not part[kind].get("name"):
            raise Refusal(f"* GenerateContentRequest.{where}.function_response.name: Name cannot be empty.")
        if role != "user" or not isinstance(part[kind].get("response"), dict):
            raise Refusal(
                f"Invalid value at '{where}.function_response.response' (type.googleapis.com/google.protobuf.Struct)"
            )
        for inner in part[kind].get("parts") or ():
            _check_blob(inner.get("inlineData"), f"{where}.function_response")
    if kind == "inlineData":
        _check_blob(part[kind], where)


def _check_blob(blob: Any, where: str) -> None:
    _only(blob, {"mimeType", "data", "displayName"}, f"{where}.inline_data")
    if blob.get("mimeType") not in _ACCEPTED:
        raise Refusal(f"Unsupported MIME type: {blob.get('mimeType')}")
    content = images.decoded(blob.get("data"))
    if content is None:
        raise Refusal(f"Invalid value at '{where}.inline_data.data' (TYPE_BYTES), Base64 decoding failed")
    seen = images.media_type(content)
    if seen != blob["mimeType"] and blob["mimeType"] in images.ACCEPTED:
        raise Refusal("Provided image is not valid.")


def _check_turns(contents: list[dict[str, Any]]) -> None:
    if contents[0]["role"] != "user":
        raise Refusal(
            "Please ensure that multiturn requests alternate between user and model, and begin with a user role."
        )
    if contents[-1]["role"] != "user":
        raise Refusal("Please ensure that single turn requests end with a user role or the role field is empty.")
    for before, content in pairwise([{"role": "", "parts": []}, *contents]):
        if before["role"] == content["role"]:
            raise Refusal("Please ensure that multiturn requests alternate between user and model.")
        calls = [part["functionCall"] for part in before["parts"] if "functionCall" in part]
        answers = [part["functionResponse"] for part in content["parts"] if "functionResponse" in part]
        if answers and not calls:
            raise Refusal("Please ensure that function response turn comes immediately after a function call turn.")
        if len(calls) != len(answers):
            raise Refusal(
                "Please ensure that the number of function response parts is equal to the number of function call parts of the "
                "function call turn."
            )
        for call, answer in zip(calls, answers, strict=True):
            if call["name"] != answer["name"] or call.get("id") != answer.get("id"):
                raise Refusal(
                    f"The function response {answer['name']} does not answer the function call {call['name']} in its place."
                )


def _check_signatures(contents: list[dict[str, Any]], model: str, sent: Sent) -> None:
    since = max(
        (number for number, content in enumerate(contents) if content["role"] == "user" and not _answers(content)),
        default=0,
    )
    for number, content in enumerate(contents):
        first_call = True
        for part in content["parts"]:
            signature = _standard(part.get("thoughtSignature"))
            call = part.get("functionCall")
            if call is None:
                if signature is not None and signature not in (seal(model, part.get("text", "")), *sent.seals):
                    raise Refusal("Corrupted thought signature.")
                continue
            expected = seal_of_call(model, call["name"], call.get("args") or {})
            if signature is not None and signature != expected and signature not in _WAIVERS:
                raise Refusal("Corrupted thought signature.")
            if signature is None and first_call and number > since and expected in sent.seals:
                raise Refusal(
                    f"Function call `{call['name']}` in the {number + 1}. content block is missing a `thought_signature`."
                )
            first_call = False


def _standard(signature: Any) -> str | None:
    # Bytes travel in either alphabet of base64; the waivers are no base64 at all.
    if not isinstance(signature, str):
        return None
    if signature in _WAIVERS:
        return signature
    return signature.replace("-", "+").replace("_", "/")


def _answers(content: dict[str, Any]) -> bool:
    return any("functionResponse" in part for part in content["parts"])
