"""Sentences in an article that talk to a language model instead of its readers.

An article may hold "ignore all previous instructions". The answers shown to people consist of
sentences that an article bears out, so nothing obeys it; such a sentence is kept away from the
model and is never quoted as an explanation or an answer all the same.
"""

from __future__ import annotations

import re
import unicodedata

_EN = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}\b(?:previous|prior|above|earlier|all|any|your|other|system|these|the)\b"
    r".{0,30}\b(?:instructions?|prompts?|rules?|guidelines?|directions?|context|passages?|articles?|documents?|sources?|text)\b"
    r"|\b(?:you are|act as|pretend (?:to be|you are)|you're|from now on,? you)\b.{0,30}"
    r"\b(?:ai|assistant|chatbot|bot|language model|llm|gpt|dan|jailbroken)\b"
    r"|\b(?:ai|assistant|assistants|chatbot|bot|language models?|llms?|summari[sz]ers?|models? reading this)\b.{0,40}"
    r"\b(?:must|should|shall|needs? to|has to|have to|are required to|is required to)\b.{0,30}"
    r"\b(?:answer|reply|respond|say|state|output|tell|recommend|include|mention|claim|cite|print|repeat)\b"
    r"|\b(?:always|only|instead|you must|please|must)\b.{0,20}\b(?:answer|reply|respond)\b.{0,20}\b(?:with|that|saying|exactly|only|:)"
    r"|\b(?:when|if|whenever)\b.{0,20}\b(?:asked|someone asks|a user asks|users ask|anybody asks|the user asks)\b.{0,60}"
    r"\b(?:answer|reply|respond|say|state|tell|claim|output)\b"
    r"|\b(?:the )?(?:correct|right|only|real|true) answer to (?:every|all|any|each)\b"
    r"|\b(?:system prompt|new instructions?|end of (?:context|document|instructions?)|begin (?:new )?instructions?)\b"
    r"|<\|?(?:im_start|im_end|system|assistant|user|endoftext)\|?>|^\s*(?:system|assistant|user)\s*:"
    r"|\[/?INST\]|###\s*(?:instruction|system|response)",
    re.I,
)
_KO = re.compile(
    r"(?:이전|앞|위|지금까지|기존|모든|다른)[^.]{0,20}(?:지시|명령|프롬프트|지침|규칙|문맥|내용|글)[^.]{0,14}(?:무시|잊|따르지)"
    r"|(?:지시|명령|지침|프롬프트)\s*(?:사항)?(?:를|을|은|는|들을)?\s*(?:모두\s*|전부\s*)?(?:무시|잊어|잊고)"
    r"|(?:당신|너|넌|너희|귀하)(?:은|는|는\s*이제|은\s*이제)[^.]{0,30}(?:AI|인공지능|어시스턴트|비서|챗봇|언어\s*모델|봇)"
    r"|(?:AI|인공지능|어시스턴트|챗봇|언어\s*모델|모델|봇|요약기)(?:은|는|이|가|라면)[^.]{0,40}(?:답해야|대답해야|말해야|출력해야|답하라|답하세요|대답하세요|추천해야|"
    r"답변해야|출력하세요|답하십시오)"
    r"|(?:질문|물으면|물어보면|묻는다면|물어보더라도|묻더라도|물어도).{0,60}(?:고|으로|로)\s*만?\s*(?:답하|대답하|답변하|말하|출력하)"
    r"|(?:반드시|무조건|항상|오직).{0,60}(?:고|으로|로)\s*만?\s*(?:답하|대답하|답변하|출력하)"
    r"|(?:모든|어떤|어느)\s*질문(?:에|의|에도)[^.]{0,20}(?:답|정답|대답)"
    r"|시스템\s*(?:프롬프트|메시지|지시)|새로운\s*(?:지시|명령|지침)",
    re.I,
)


def addresses_a_model(text: str) -> bool:
    """Whether a sentence gives orders to a model. Rather once too often: another can be quoted."""
    flat = unicodedata.normalize("NFKC", text)
    flat = "".join(char for char in flat if unicodedata.category(char) != "Cf")
    return _EN.search(flat) is not None or _KO.search(flat) is not None
