// What the page says, in Korean and English. The words for difficulty labels, factors and notes
// come from the server, so that the page speaks like the other surfaces.

const WORDS = {
  en: {
    skip: "Skip to the message box",
    channel: "digests",
    channelTopic: "Paste a link to a technical article. It is read on this machine.",
    channels: "Channels",
    recent: "Recent digests",
    recentNone: "Nothing yet",
    local: "Articles and digests stay on this machine.",
    apiDocs: "API",
    mornings: "Daily digest",
    theme: "Switch between light and dark",
    interfaceLanguage: "Language of this page",
    messages: "Messages",
    introTitle: "This is the start of #digests",
    introText:
      "Paste a link to a technical article, in English or Korean. You get a short digest: how difficult it is and why, what it says, and what to know first. Every sentence is checked against the article, and you can see its source.",
    samples: "Or try one of these. They are served by this machine and need no internet:",
    you: "You",
    app: "APP",
    composerLabel: "Message",
    placeholder: "Paste a link, or type / for commands",
    hint: "Enter to send · Shift + Enter for a new line · / for commands",
    send: "Send",
    digestIn: "Digest in",
    languageAuto: "The article's language",
    languageKo: "한국어",
    languageEn: "English",
    commands: "Commands",
    cmdDigest: "a digest of the article behind a link",
    cmdExplain: "what a term means, and who says so",
    cmdAsk: "an answer from the articles read here, with its sources",
    cmdSearch: "articles read here; filters: level:1-3 lang:ko site:… since:7d",
    cmdHelp: "what can be asked here",
    argLink: "link",
    argTerm: "term",
    argQuestion: "question",
    argWords: "words",
    noLink:
      "I found no link in that. Paste a link that begins with http:// or https://, or type /help. A longer text pasted here is digested as it is.",
    unknownCommand: (name) => `I do not know ${name}. These are the commands:`,
    needsLink: "Give me a link: /digest https://…",
    needsTerm: "Give me a term: /explain idempotency",
    needsQuestion: "Give me a question: /ask why use a connection pool?",
    archivePlaceholder: "Search what was read",
    archiveSearch: "Search the archive",
    onlyUsed: "no article says what it is; this is how it is used",
    easiest: "The easiest article about it:",
    alsoCalled: (names) => `also called ${names}`,
    senses: "Other meanings:",
    related: "Related terms:",
    near: "Did you mean:",
    showDigest: "digest",
    answerWritten: "Written by the model; each sentence is checked against the article it cites.",
    answerQuoted: "The articles' own words.",
    notRead: "I haven't read about that.",
    closest: "The closest that I have read:",
    foundFor: (words) => `Found for “${words}”`,
    newest: "The newest articles",
    foundNothing: (words) => `No article read here fits “${words}”. Other words or fewer filters may help.`,
    levelOf: (score, label) => `difficulty ${score} · ${label}`,
    tooManyLinks: (n) => `That was more than ${n} links. The first ${n} are being digested; please send the rest again.`,
    helpText: "Paste one or several links and I reply with digests. You can also paste a whole text. Commands:",
    helpMore:
      "Under each digest: its terms, questions worth asking, the other language, and buttons to say whether it was too easy or too hard. Point at a sentence of the summary, or press Enter on it, to see where it stands in the article.",
    waiting: "Waiting for its turn…",
    fetching: "Fetching the page…",
    reading: (words, parts) =>
      parts > 1 ? `Reading ${num(words)} words in ${num(parts)} parts…` : `Reading ${num(words)} words…`,
    drafting: "Writing a draft…",
    checking: (n) => `Checking ${num(n)} ${n === 1 ? "sentence" : "sentences"} against the article…`,
    draft: "Draft, not yet checked",
    stop: "Stop",
    stopped: "Stopped. Nothing was kept.",
    retry: "Try again",
    difficulty: "Difficulty",
    difficultyOf: (score, label) => `Difficulty ${score} of 5, ${label}`,
    why: "Why?",
    share: (percent) => `${percent} of the result`,
    summary: "Summary",
    keywords: "Keywords",
    prerequisites: "Know first",
    terms: "Terms",
    termsAll: (n) => `Terms (${n})`,
    fromModel: "Written by the model, checked against the article. Nearest there:",
    fromArticle: "The article's own words",
    fromArticleAsIs: "This sentence stands in the article, word for word.",
    source: "In the article",
    originArticle: "from the article",
    originGlossary: "glossary",
    originModel: "model's words",
    read: (percent) => `${percent} of the article read`,
    checked: (n) => `${num(n)} ${n === 1 ? "sentence" : "sentences"} checked`,
    rejected: (n) => `${num(n)} replaced`,
    seconds: (n) => `${n} s`,
    cached: "kept from before",
    questions: "Questions",
    questionsTitle: "Questions you may have",
    questionsBusy: "Thinking of questions…",
    questionsNone: "No questions came to mind for this one.",
    tooEasy: "Too easy",
    tooHard: "Too hard",
    good: "Good digest",
    bad: "Bad digest",
    thanks: "Thank you, noted.",
    otherKo: "한국어로",
    otherEn: "In English",
    again: "Again",
    againTitle: "Digest anew",
    actions: "About this digest",
    untitled: "Untitled",
    pastedText: "Pasted text",
    ready: (title, score, label) => `Digest ready: ${title}. Difficulty ${score}, ${label}.`,
    working: "Working on it.",
    tokenTitle: "This server asks for a token",
    tokenText: "Enter the token that was set for it. It is kept until this tab is closed.",
    tokenLabel: "Token",
    tokenOk: "Continue",
    tokenCancel: "Cancel",
    lang_en: "EN",
    lang_ko: "KO",
    sample: "Sample",
    source_blog: "Article",
    source_paper: "Paper",
    source_news: "News",
    gone: "A digest shown here earlier is no longer kept.",
  },
  ko: {
    skip: "메시지 입력란으로 건너뛰기",
    channel: "다이제스트",
    channelTopic: "기술 글의 링크를 붙여 넣으세요. 글은 이 컴퓨터에서 읽습니다.",
    channels: "채널",
    recent: "최근 다이제스트",
    recentNone: "아직 없습니다",
    local: "글과 다이제스트는 이 컴퓨터를 떠나지 않습니다.",
    apiDocs: "API",
    mornings: "매일 아침",
    theme: "밝은 화면과 어두운 화면 전환",
    interfaceLanguage: "화면 언어",
    messages: "메시지",
    introTitle: "#다이제스트 채널의 시작입니다",
    introText:
      "영어나 한국어 기술 글의 링크를 붙여 넣으면 짧은 다이제스트로 답합니다. 얼마나 어려운지와 그 이유, 무슨 내용인지, 먼저 알아야 할 것을 담습니다. 모든 문장은 원문과 대조하며, 근거가 된 문장을 바로 볼 수 있습니다.",
    samples: "아래 글로 시험해 볼 수도 있습니다. 이 컴퓨터가 직접 제공하므로 인터넷이 필요 없습니다.",
    you: "나",
    app: "앱",
    composerLabel: "메시지",
    placeholder: "링크를 붙여 넣거나 /를 눌러 명령을 고르세요",
    hint: "Enter로 보내기 · Shift + Enter로 줄바꿈 · /로 명령 보기",
    send: "보내기",
    digestIn: "다이제스트 언어",
    languageAuto: "글과 같은 언어",
    languageKo: "한국어",
    languageEn: "English",
    commands: "명령",
    cmdDigest: "링크가 가리키는 글의 다이제스트",
    cmdExplain: "용어의 뜻과 그 출처",
    cmdAsk: "여기서 읽은 글에서 찾은 답과 그 출처",
    cmdSearch: "여기서 읽은 글 찾기. 조건: level:1-3 lang:ko site:… since:7d",
    cmdHelp: "여기서 할 수 있는 일",
    argLink: "링크",
    argTerm: "용어",
    argQuestion: "질문",
    argWords: "낱말",
    noLink:
      "링크를 찾지 못했습니다. http:// 또는 https://로 시작하는 링크를 붙여 넣거나 /help를 입력해 보세요. 긴 글을 그대로 붙여 넣어도 됩니다.",
    unknownCommand: (name) => `${name}은(는) 모르는 명령입니다. 쓸 수 있는 명령은 다음과 같습니다.`,
    needsLink: "링크를 함께 적어 주세요: /digest https://…",
    needsTerm: "용어를 함께 적어 주세요: /explain 멱등성",
    needsQuestion: "질문을 함께 적어 주세요: /ask 커넥션 풀은 왜 쓰나요?",
    archivePlaceholder: "읽은 글 찾기",
    archiveSearch: "읽은 글에서 검색",
    onlyUsed: "정의한 글은 없고, 이렇게 쓰입니다",
    easiest: "가장 쉬운 글:",
    alsoCalled: (names) => `다른 이름: ${names}`,
    senses: "다른 뜻:",
    related: "관련 용어:",
    near: "혹시 이런 용어인가요?",
    showDigest: "요약 보기",
    answerWritten: "모델이 썼고, 문장마다 인용한 글과 대조했습니다.",
    answerQuoted: "글의 문장을 그대로 옮겼습니다.",
    notRead: "그 내용은 아직 읽은 글에 없습니다.",
    closest: "읽은 글 가운데 그나마 가까운 글:",
    foundFor: (words) => `‘${words}’ 검색 결과`,
    newest: "최근에 읽은 글",
    foundNothing: (words) => `‘${words}’에 맞는 글을 찾지 못했습니다. 다른 낱말로 찾거나 조건을 줄여 보세요.`,
    levelOf: (score, label) => `난이도 ${score} · ${label}`,
    tooManyLinks: (n) => `링크가 ${n}개보다 많습니다. 처음 ${n}개를 처리하니 나머지는 다시 보내 주세요.`,
    helpText: "링크를 하나 또는 여러 개 붙여 넣으면 다이제스트로 답합니다. 글 전체를 붙여 넣어도 됩니다. 명령은 다음과 같습니다.",
    helpMore:
      "다이제스트 아래에서 용어, 떠오를 만한 질문, 다른 언어를 볼 수 있고, 너무 쉬웠는지 어려웠는지 알려 줄 수 있습니다. 요약 문장을 가리키거나 Enter를 누르면 원문에서 근거가 된 문장이 나옵니다.",
    waiting: "차례를 기다리는 중…",
    fetching: "페이지를 가져오는 중…",
    reading: (words, parts) =>
      parts > 1 ? `${num(words)}단어를 ${num(parts)}부분으로 나누어 읽는 중…` : `${num(words)}단어를 읽는 중…`,
    drafting: "초안을 쓰는 중…",
    checking: (n) => `${num(n)}개 문장을 원문과 대조하는 중…`,
    draft: "초안 · 아직 확인하지 않음",
    stop: "멈추기",
    stopped: "멈췄습니다. 아무것도 남기지 않았습니다.",
    retry: "다시 시도",
    difficulty: "난이도",
    difficultyOf: (score, label) => `난이도 5점 중 ${score}점, ${label}`,
    why: "왜 그런가요?",
    share: (percent) => `결과의 ${percent}`,
    summary: "요약",
    keywords: "키워드",
    prerequisites: "먼저 알아 둘 것",
    terms: "용어",
    termsAll: (n) => `용어 (${n})`,
    fromModel: "모델이 쓰고 원문과 대조한 문장입니다. 가장 가까운 원문:",
    fromArticle: "원문에서 가져온 문장",
    fromArticleAsIs: "원문에 있는 문장 그대로입니다.",
    source: "원문에서",
    originArticle: "원문의 설명",
    originGlossary: "용어집",
    originModel: "모델의 설명",
    read: (percent) => `글의 ${percent}를 읽음`,
    checked: (n) => `${num(n)}개 문장 확인`,
    rejected: (n) => `${num(n)}개 교체`,
    seconds: (n) => `${n}초`,
    cached: "저장된 결과",
    questions: "질문",
    questionsTitle: "떠오를 만한 질문",
    questionsBusy: "질문을 떠올리는 중…",
    questionsNone: "이 글에는 떠오르는 질문이 없습니다.",
    tooEasy: "너무 쉬움",
    tooHard: "너무 어려움",
    good: "좋은 다이제스트",
    bad: "나쁜 다이제스트",
    thanks: "고맙습니다. 기록했습니다.",
    otherKo: "한국어로",
    otherEn: "In English",
    again: "다시",
    againTitle: "다이제스트를 새로 만들기",
    actions: "이 다이제스트에 대해",
    untitled: "제목 없음",
    pastedText: "붙여 넣은 글",
    ready: (title, score, label) => `다이제스트 완료: ${title}. 난이도 ${score}, ${label}.`,
    working: "작업을 시작했습니다.",
    tokenTitle: "이 서버는 토큰이 필요합니다",
    tokenText: "서버에 설정한 토큰을 입력하세요. 이 탭을 닫을 때까지만 보관합니다.",
    tokenLabel: "토큰",
    tokenOk: "계속",
    tokenCancel: "취소",
    lang_en: "EN",
    lang_ko: "KO",
    sample: "예시",
    source_blog: "글",
    source_paper: "논문",
    source_news: "뉴스",
    gone: "앞서 보여 준 다이제스트 하나는 더 이상 보관되어 있지 않습니다.",
  },
};

let language = kept() ?? (navigator.language.toLowerCase().startsWith("ko") ? "ko" : "en");
let served = { en: {}, ko: {} };

function kept() {
  const value = localStorage.getItem("language");
  return value === "ko" || value === "en" ? value : null;
}

function num(value) {
  return new Intl.NumberFormat(language).format(value);
}

export function currentLanguage() {
  return language;
}

export function setLanguage(value) {
  language = value;
  localStorage.setItem("language", value);
}

export function setServed(words) {
  served = words;
}

/** The words for a key; keys with arguments are functions in the table above. */
export function w(key, ...values) {
  const word = WORDS[language][key];
  return typeof word === "function" ? word(...values) : word;
}

/** Words of the server: kind is labels, factors or notes. An unknown key is shown as it is. */
export function servedWord(kind, key) {
  return served[language]?.[kind]?.[key] ?? key;
}

/** "difficulty 2.0 · elementary" of an article. */
export function level({ difficulty, label }) {
  return w("levelOf", difficulty.toFixed(1), servedWord("labels", label));
}

export function message(problem) {
  return language === "ko" ? problem.message_ko : problem.message_en;
}

export function percent(share) {
  return new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 }).format(share);
}

export function decimal(value) {
  return new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(value);
}

export function clock(date) {
  return new Intl.DateTimeFormat(language, { hour: "numeric", minute: "2-digit" }).format(date);
}
