"""Answers from your own documents, with checked citations: each quote must occur in its source.

    pip install ".[tool-search]"
    python -m examples.agents.rag ["Your question"]

The documents are in the folder `handbook`; BM25 finds the passages. With OPENROUTER_API_KEY in the environment this
costs less than a cent. Without the key an emulator plays a script.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import bm25s
from langchain_core.documents import Document
from langchain_core.messages import AIMessage
from langchain_core.messages.content import Citation, create_citation, create_text_block
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable, RunnableLambda
from pydantic import BaseModel, Field, model_validator

from examples.agents import scripts
from examples.agents.kimi import kimi, show_price
from langchain_kimi import ChatKimi
from langchain_kimi.callbacks import track_costs

HANDBOOK = Path(__file__).parent / "handbook"
QUESTION = "How long may I stay as a visitor, and what does electricity cost?"
PASSAGES = 3
PROMPT = ChatPromptTemplate.from_template("""Answer the question from the passages alone, in short sentences. Each
sentence is a claim with its source and a quote that supports it, copied word for word. If the passages do not answer
the question, return no claims.

{passages}

Question: {question}""")


class Index:
    """Ranks the passages of documents, one for each paragraph, by BM25."""

    def __init__(self, folder: Path) -> None:
        self.texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.md"))}
        self._passages = [
            Document(part.group(), metadata={"source": name, "start": part.start()})
            for name, text in self.texts.items()
            for part in re.finditer(r"[^#\s].*?(?=\n\n|\s*\Z)", text, re.DOTALL)
        ]
        self._ranking = bm25s.BM25()
        self._ranking.index([words(passage.page_content) for passage in self._passages], show_progress=False)

    def search(self, question: str) -> list[Document]:
        """Return the passages that fit a question, the best first."""
        scores = self._ranking.get_scores(words(question)).tolist()
        ranked = sorted(zip(scores, self._passages, strict=True), key=lambda pair: -pair[0])
        return [passage for score, passage in ranked[:PASSAGES] if score > 0]


def words(text: str) -> list[str]:
    """Return the words of a text, without the most common ones."""
    return [word for word in re.findall(r"\w+", text.lower()) if len(word) > 2]  # noqa: PLR2004 - "a", "is", "of"


def span_of(quote: str, text: str) -> tuple[int, int] | None:
    """Return the start and end of a quote in a text, in characters; line breaks count as spaces."""
    pattern = r"\s+".join(re.escape(word) for word in quote.split())
    match = re.search(pattern, text) if pattern else None
    return match.span() if match else None


def answer_type(sources: dict[str, str]) -> type[BaseModel]:
    """Return the class of answers from these sources. A quote that is not in its source makes an answer invalid."""

    class Claim(BaseModel):
        """One sentence of the answer."""

        text: str = Field(description="The sentence")
        source: str = Field(description="The name of its source, such as prices.md")
        quote: str = Field(description="The words of the source that support it, unchanged")

        @model_validator(mode="after")
        def _check_quote(self) -> Self:
            if span_of(self.quote, sources.get(self.source, "")) is None:
                raise ValueError(f"the quote is not in {self.source}; copy the words of one of the passages")
            return self

    class Answer(BaseModel):
        """An answer with its sources."""

        claims: list[Claim]

    return Answer


@dataclass(frozen=True)
class Answering:
    """The chain: passages, prompt, model, and a message with citations."""

    model: ChatKimi
    index: Index

    def __call__(self, question: str) -> AIMessage:
        """Return the answer to a question. The model gets a wrong quote back once."""
        passages = self.index.search(question)
        names = {passage.metadata["source"] for passage in passages}
        sources = {name: self.index.texts[name] for name in names}
        shown = "\n\n".join(f"[{passage.metadata['source']}]\n{passage.page_content}" for passage in passages)
        chain = PROMPT | self.model.with_structured_output(answer_type(sources), repair=1)
        return cited(chain.invoke({"passages": shown, "question": question}), sources)


def cited(answer: Any, sources: dict[str, str]) -> AIMessage:
    """Return the answer as a message with LangChain's citations. `extras` has the place of each quote in its source."""
    text, citations = "", list[Citation]()
    for claim in answer.claims:
        start, end = span_of(claim.quote, sources[claim.source]) or (0, 0)
        place = len(text), len(text) + len(claim.text)
        text += f"{claim.text} "
        citation = create_citation(
            url=f"handbook/{claim.source}",
            title=claim.source,
            start_index=place[0],
            end_index=place[1],
            cited_text=sources[claim.source][start:end],
            source_start=start,
            source_end=end,
        )
        citations.append(citation)
    text = text.rstrip() or "The handbook does not say."
    return AIMessage(content_blocks=[create_text_block(text, annotations=[*citations])])


def build(model: ChatKimi) -> Runnable[str, AIMessage]:
    """Return the chain, which is a runnable like every other: it can be batched, traced and composed."""
    return RunnableLambda(Answering(model, Index(HANDBOOK)), name="answer with citations")


def main() -> None:
    """Answer one question, and print each sentence with its source, and the price."""
    question = sys.argv[1] if len(sys.argv) > 1 else QUESTION
    with kimi(scripts.rag(), max_tokens=2_000) as model, track_costs() as costs:
        message = build(model).invoke(question)
    print(f"Question: {question}\nAnswer: {message.text}")
    blocks: list[Any] = message.content_blocks
    citations = [citation for block in blocks for citation in block.get("annotations", [])]
    for number, citation in enumerate(citations, start=1):
        extras = citation["extras"]
        sentence = message.text[citation["start_index"] : citation["end_index"]]
        print(f'[{number}] "{sentence}" is from {citation["url"]}, characters {extras["source_start"]} to', end=" ")
        print(f'{extras["source_end"]}: "{citation["cited_text"]}"')
    show_price(costs)


if __name__ == "__main__":
    main()
