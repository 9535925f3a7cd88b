//! Chit-chat: utterances that are nothing but a greeting, thanks, a farewell or a question about the
//! chat itself. "Hi, where did she study?" is a question.

use super::subject::{documents, joined};
use crate::text::terms::words;
use crate::wire::Subject;

/// Longest chit-chat, in words; whoever writes more has something to ask.
const MAX_WORDS: usize = 14;

/// What an utterance is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum ChitChat {
    /// "hi"
    Greeting,
    /// "great"
    Praise,
    /// "bye"
    Farewell,
    /// "thanks"
    Thanks,
    /// "how are you?"
    WellBeing,
    /// "who are you?", "what can you do?"
    Identity,
}

/// What to say to an utterance that asks nothing of the documents.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reply {
    /// What the utterance was.
    pub kind: ChitChat,
    /// The answer.
    pub text: String,
}

/// The reply to `text`, where every word of it is chit-chat.
pub fn chit_chat(text: &str, subject: &Subject) -> Option<Reply> {
    let words = utterance(text);
    if words.len() > MAX_WORDS {
        return None;
    }
    let names = subject.person.as_deref().map(self::words).unwrap_or_default();
    let mut found = None;
    let mut rest = words.as_slice();
    while let [first, tail @ ..] = rest {
        let filler = FILLERS.split(' ').any(|it| it == first);
        // "help" asks for it, "thanks for your help" does not.
        let phrase = longest(rest).filter(|(words, _)| *words > 1 || !filler || found.is_none());
        if let Some((phrase, kind)) = phrase {
            found = found.max(Some(kind));
            rest = &rest[phrase..];
        } else if filler || names.contains(first) {
            rest = tail;
        } else {
            return None;
        }
    }
    found.map(|kind| Reply { kind, text: reply(kind, subject) })
}

/// The words without smileys, which would leave a letter.
fn utterance(text: &str) -> Vec<String> {
    let smiley = |word: &&str| {
        word.chars().count() <= 3
            && word.starts_with([':', ';', '=', 'x', 'X', '<'])
            && word.chars().skip(1).all(|it| {
                matches!(it, '-' | '\'' | ')' | '(' | 'D' | 'd' | 'P' | 'p' | 'o' | 'O' | '3' | '*')
            })
            && word.len() > 1
    };
    let kept: Vec<&str> = text.split_whitespace().filter(|word| !smiley(word)).collect();
    words(&kept.join(" "))
}

/// The longest phrase that `words` start with, in words, and what it is.
fn longest(words: &[String]) -> Option<(usize, ChitChat)> {
    let starts = |phrase: &str| {
        let mut count = 0;
        for (at, part) in phrase.split(' ').enumerate() {
            if words.get(at).is_none_or(|word| word != part) {
                return None;
            }
            count = at + 1;
        }
        Some(count)
    };
    let all =
        PHRASES.iter().flat_map(|(kind, phrases)| phrases.split('|').map(move |it| (*kind, it)));
    all.filter_map(|(kind, phrase)| Some((starts(phrase)?, kind))).max()
}

fn reply(kind: ChitChat, subject: &Subject) -> String {
    let documents = documents(subject);
    let topics = match joined(&subject.topics, "or") {
        topics if topics.is_empty() => String::new(),
        topics => format!(", for example about {topics}"),
    };
    match kind {
        ChitChat::Greeting => {
            format!("Hello! I answer questions from {documents}. Ask me anything{topics}.")
        }
        ChitChat::Praise => {
            "Good to hear. Is there anything else you would like to know?".to_owned()
        }
        ChitChat::Farewell => "Goodbye, and come back whenever you have a question.".to_owned(),
        ChitChat::Thanks => {
            "You are welcome. Is there anything else you would like to know?".to_owned()
        }
        ChitChat::WellBeing => {
            format!(
                "I am well, thank you. I answer questions from {documents}: what would you like to know?"
            )
        }
        ChitChat::Identity => format!(
            "I am an assistant that answers questions from {documents} and says where each answer \
             stands. What is not in them I do not know. Ask me anything{topics}."
        ),
    }
}

/// Phrases, `|` between them, as `words` spells them: folded, without signs, `'` splitting words.
const PHRASES: &[(ChitChat, &str)] = &[
    (
        ChitChat::Greeting,
        "hello|hi|hiya|hey|heya|hello there|hi there|hey there|good morning|good afternoon|\
         good evening|good day|morning|evening|howdy|greetings|welcome|yo|what s up|sup|\
         nice to meet you|pleased to meet you|hallo|guten tag|guten morgen|guten abend|servus|\
         moin|bonjour|bonsoir|salut|coucou|hola|buenos dias|buenas tardes|ciao|buongiorno|\
         buonasera|ola|bom dia|hej|czesc|dzien dobry|hoi|goedemorgen|god morgen|namaste|salaam|\
         shalom|ahoj|merhaba|konnichiwa|privet|aloha",
    ),
    (
        ChitChat::Praise,
        "great|nice|cool|perfect|awesome|excellent|amazing|wonderful|super|ok|okay|good|\
         very good|well done|good job|good bot|nice work|great work|got it|i see|understood|\
         makes sense|sounds good|all right|alright|fine|lol|haha|interesting|very interesting|\
         that helps|that helped|that was helpful|very helpful|good to know|wow|love it",
    ),
    (
        ChitChat::Farewell,
        "bye|bye bye|goodbye|good bye|good night|see you|see ya|see you later|see you soon|\
         see you tomorrow|talk to you later|farewell|take care|have a nice day|have a good day|\
         have a great day|have a good one|have a nice weekend|have a good weekend|that s all|\
         that is all|that will be all|until next time|cya|later|tschuss|auf wiedersehen|\
         au revoir|adios|hasta luego|arrivederci|tchau|do widzenia|tot ziens|ha det",
    ),
    (
        ChitChat::Thanks,
        "thanks|thank you|thank you very much|thank you so much|thanks a lot|many thanks|thx|\
         thanx|thnx|tks|ty|tysm|cheers|much appreciated|i appreciate it|i appreciate that|\
         i appreciate your help|appreciate it|i am grateful|i m grateful|much obliged|merci|\
         merci beaucoup|danke|danke schon|vielen dank|gracias|muchas gracias|grazie|obrigado|\
         obrigada|dziekuje|dank je|dank u|bedankt|tack|takk|tusen takk|arigato|spasibo",
    ),
    (
        ChitChat::WellBeing,
        "how are you|how are you doing|how are you today|how do you do|how is it going|\
         how s it going|how are things|how have you been|how r u|are you ok|are you okay|\
         wie geht s|wie geht es dir|ca va|comment ca va|como estas|come stai",
    ),
    (
        ChitChat::Identity,
        "who are you|what are you|who r u|who am i talking to|who am i speaking to|\
         introduce yourself|what is your name|what s your name|do you have a name|are you a bot|\
         are you a robot|are you an ai|are you human|are you a human|are you a person|\
         are you a real person|are you real|is this a bot|am i talking to a bot|are you chatgpt|\
         what can you do|what do you do|what can i ask|what can i ask you|what should i ask|\
         what can you help me with|what can you help with|what can you tell me|can you help me|\
         can you help|could you help me|help|help me|i need help|how can you help|\
         how can you help me|how does this work|how do you work|how does this chat work|\
         what is this|what s this|who made you|wer bist du|qui es tu|quien eres",
    ),
];
/// Words that may stand around them.
const FILLERS: &str = "there everyone everybody all again so very much a lot lots dear friend my buddy mate guys \
    folks and then well oh ah please bot assistant chat sir madam for your the this that info \
    information time answer answers reply replies help kindly really just now today it is was s \
    to you too with i m am feeling doing fine";

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> Option<ChitChat> {
        let subject = Subject {
            person: Some("Marie Curie".to_owned()),
            topics: vec!["Prizes".to_owned()],
            ..Subject::default()
        };
        chit_chat(text, &subject).map(|reply| reply.kind)
    }

    #[test]
    fn whole_utterances() {
        for (text, expected) in [
            ("hi", ChitChat::Greeting),
            ("Hi there!", ChitChat::Greeting),
            ("Good morning, Marie 👋", ChitChat::Greeting),
            ("¡Hola!", ChitChat::Greeting),
            ("Dzień dobry", ChitChat::Greeting),
            ("hello hello", ChitChat::Greeting),
            ("thanks a lot :)", ChitChat::Thanks),
            ("Thank you so much for your help!!! 🙏🙏", ChitChat::Thanks),
            ("ok, thanks :D", ChitChat::Thanks),
            ("great, thank you, bye", ChitChat::Thanks),
            ("Danke schön", ChitChat::Thanks),
            ("bye", ChitChat::Farewell),
            ("See you later!", ChitChat::Farewell),
            ("Have a nice day", ChitChat::Farewell),
            ("How are you?", ChitChat::WellBeing),
            ("hey, how's it going today?", ChitChat::WellBeing),
            ("Who are you?", ChitChat::Identity),
            ("hello, what can you do?", ChitChat::Identity),
            ("Are you a bot?", ChitChat::Identity),
            ("help", ChitChat::Identity),
            ("That was helpful, cool", ChitChat::Praise),
        ] {
            assert_eq!(kind(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn questions_are_none() {
        for text in [
            "hi, where did she study?",
            "hey what is her email",
            "what is your email",
            "How can I contact you?",
            "Thanks to whom did she meet Pierre?",
            "Who gave her a farewell dinner?",
            "What happened later?",
            "later life",
            "Did the academy appreciate her work?",
            "Hi-C sequencing",
            "What are you working on?",
            "Who are your referees?",
            "What can you do with Rust?",
            "Is there a good morning routine?",
            "the answer",
            "Marie Curie",
            "",
            ":)",
            "thanks and what about the second prize?",
            "hello hello hello hello hello hello hello hello hello hello hello hello hello hello hello",
        ] {
            assert_eq!(kind(text), None, "{text}");
        }
    }

    #[test]
    fn replies_name_the_person_and_topics() {
        let subject = Subject {
            person: Some("Marie Curie".to_owned()),
            topics: vec!["Prizes".to_owned(), "Journeys".to_owned()],
            ..Subject::default()
        };
        assert_eq!(
            chit_chat("hi", &subject).unwrap().text,
            "Hello! I answer questions from Marie Curie's documents. Ask me anything, for example about \
             Prizes or Journeys."
        );
        assert_eq!(
            chit_chat("hi", &Subject::default()).unwrap().text,
            "Hello! I answer questions from the documents. Ask me anything."
        );
    }
}
