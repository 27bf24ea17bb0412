# SPDX-License-Identifier: Apache-2.0
"""The official Ollama client, unmodified, against the service."""
import json

import jsonschema
import ollama
import pytest
from pydantic import BaseModel, Field


class Country(BaseModel):
    name: str = Field(max_length=30)
    capital: str = Field(max_length=30)
    languages: list[str] = Field(max_length=3)


MESSAGES = [{"role": "user", "content": "Tell me about Canada."}]


def test_models(ollama_client):
    assert [model.model for model in ollama_client.list().models] == ["small:latest"]


def test_a_model(ollama_client):
    shown = ollama_client.show("small")
    assert shown.details.format == "gguf"
    assert shown.modelinfo["general.architecture"]


def test_loaded_models(ollama_client):
    ollama_client.chat("small", MESSAGES, options={"num_predict": 1})
    assert [model.model for model in ollama_client.ps().models] == ["small:latest"]


def test_chat(ollama_client):
    answer = ollama_client.chat("small:latest", MESSAGES, options={"num_predict": 10})
    assert answer.message.content
    assert answer.done and answer.eval_count <= 10 and answer.prompt_eval_count > 5


def test_a_stream_of_chat(ollama_client):
    whole = ollama_client.chat("small", MESSAGES, options={"num_predict": 10}).message.content
    parts = list(ollama_client.chat("small", MESSAGES, options={"num_predict": 10}, stream=True))
    assert "".join(part.message.content for part in parts) == whole
    assert parts[-1].done_reason in ("stop", "length")


def test_a_schema(ollama_client):
    answer = ollama_client.chat("small", MESSAGES, format=Country.model_json_schema())
    assert isinstance(Country.model_validate_json(answer.message.content), Country)


def test_a_stream_of_a_document(ollama_client):
    parts = ollama_client.chat("small", MESSAGES, format=Country.model_json_schema(), stream=True)
    Country.model_validate_json("".join(part.message.content for part in parts))


def test_any_json(ollama_client):
    answer = ollama_client.chat("small", MESSAGES, format="json", options={"num_predict": 80})
    assert isinstance(json.loads(answer.message.content), dict)


def test_generate(ollama_client):
    answer = ollama_client.generate("small", "Say hello.", options={"num_predict": 8})
    assert answer.response


def test_generate_a_document(ollama_client):
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1, "maximum": 9}}, "required": ["n"],
              "additionalProperties": False}
    answer = ollama_client.generate("small", "How many?", format=schema)
    jsonschema.validate(json.loads(answer.response), schema)


def test_generate_raw(ollama_client):
    assert ollama_client.generate("small", "1, 2, 3,", raw=True, options={"num_predict": 5}).response


def test_tools(ollama_client):
    def add(a: int, b: int) -> int:
        """Adds two numbers.

        Args:
            a: the first
            b: the second
        """
        return a + b

    answer = ollama_client.chat("small", [{"role": "user", "content": "What is 3 plus 4?"}], tools=[add],
                                options={"num_predict": 80})
    for call in answer.message.tool_calls or []:
        assert call.function.name == "add"
        assert isinstance(add(**call.function.arguments), int)


def test_a_seed(ollama_client):
    options = {"temperature": 1.0, "seed": 5, "num_predict": 8}
    first = ollama_client.generate("small", "Tell a story.", options=options).response
    assert first == ollama_client.generate("small", "Tell a story.", options=options).response


def test_an_unknown_model(ollama_client):
    with pytest.raises(ollama.ResponseError) as error:
        ollama_client.chat("other", MESSAGES)
    assert error.value.status_code == 404


def test_a_wrong_schema(ollama_client):
    with pytest.raises(ollama.ResponseError) as error:
        ollama_client.chat("small", MESSAGES, format={"type": "string", "pattern": "(a)\\1"})
    assert error.value.status_code == 400
    assert "pattern" in str(error.value)


def test_an_unsupported_option(ollama_client):
    with pytest.raises(ollama.ResponseError) as error:
        ollama_client.generate("small", "x", options={"mirostat": 2})
    assert "mirostat" in str(error.value)


def test_loading_a_model(ollama_client):
    assert ollama_client.generate("small").done_reason == "load"
