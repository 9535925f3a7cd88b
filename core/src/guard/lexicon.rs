//! What kind of thing a word speaks of, in four languages: the classifier's way from a word that it
//! never saw to those that it did.

/// Returns the class of a folded word, a letter, or `None` for most words.
pub(super) fn class(word: &str) -> Option<u8> {
    CLASSES
        .iter()
        .find(|(_, whole, stems)| {
            whole.split(' ').any(|it| it == word)
                || stems.split(' ').any(|stem| !stem.is_empty() && word.starts_with(stem))
        })
        .map(|(class, ..)| *class)
}

/// Class, whole words, beginnings of words. The first row that fits has the word.
const CLASSES: &[(u8, &str, &str)] = &[
    // To set something aside.
    (
        b'd',
        "drop lift stop skip break wipe umgeh salta anula vergiss verwirf omite",
        "ignor disregard forget forgot overrid overrul overwrit bypass neglect abandon discard cancel violat circumvent erase revok suspend supersed disabl deactivat desactiv deaktivier remov unlock missacht uberschreib oubli contourn olvid elud obsolet void",
    ),
    // What governs a model.
    (
        b'r',
        "rule rules order orders regel regeln regle regles regla reglas norm",
        "instruct directive guideline guidance prompt constraint restrict polic limit filter guardrail safeguard safety moderat censor programming configur preamble anweisung vorgabe richtlinie befehl beschrank einschrank consigne ordenes directric instruccion restriccion filtr boundar",
    ),
    // To bring to light.
    (
        b't',
        "show list quote copy read spell tell give dump leak say gib zeig zeige nenne dis dime dame di sag sage donne",
        "print reveal repeat output display disclose paste expose reproduc translat summari recite restat verrat wiederhol druck affiche montre revele repete muestra revela repite imprime paraphras",
    ),
    // What reads.
    (
        b'b',
        "ai ais llm llms bot bots gpt ki ia ias machine machines",
        "assistant chatbot chatgpt language sprachmodell model asistente automat screener robot",
    ),
    // Who asks.
    (
        b'u',
        "human humans",
        "user visitor reader nutzer besucher utilisateur usuario visitante visiteur",
    ),
    // Who is spoken to.
    (
        b'y',
        "you your yours yourself youre dein deine deinen deiner deinem du dir dich ton ta tes tu toi te tus ti eres vous votre",
        "",
    ),
    // Who is spoken of.
    (
        b's',
        "she he her his him hers they their person owner author sie er ihr ihre elle il lui ella",
        "candidate applicant kandidat candidat",
    ),
    // Who speaks.
    (b'i', "i me my mine mir mein moi mon mes mi mis", ""),
    // Without exception.
    (
        b'a',
        "always every each never only forever whatever everything anything all nothing any immer jede jeder nur toujours chaque tout toujours siempre cada todo nunca",
        "regardless",
    ),
    // From here on.
    (b'n', "now henceforth new jetzt nun ab desormais maintenant ahora", ""),
    // What is kept from others.
    (
        b'k',
        "key keys pin ssn cvv env token tokens",
        "password secret hidden credential cookie passwort schlussel contrasena confidential internal canary",
    ),
    // What carries data out.
    (
        b'l',
        "link links url urls image img pixel https http html iframe www webhook",
        "markdown evil phish attacker",
    ),
    // What is done by machines.
    (
        b'x',
        "run call shell sql curl bash rm tool tools server code command commands",
        "execut script terminal delet database subprocess decod decrypt base64 hex rot13 funktion fichier",
    ),
    // To assert.
    (
        b'c',
        "state pretend behaupte erfinde invente affirme afirma lie answer answers reply replies respond response responses",
        "claim insist invent fabricat impersonat reponds responde antwort contesta praise recommend rank",
    ),
    // To obey.
    (
        b'o',
        "follow serve comply folge suis sigue",
        "obey obei obedec gehorch befolg unrestrict unfilter uncensor jailbreak",
    ),
    // To have to.
    (b'm', "must shall should please soll muss doit debe bitte", ""),
    // To be somebody.
    (b'p', "act play role mode persona character dan", "roleplay imagin simulat behav pretend"),
    // What a question of the visitor begins with.
    (
        b'q',
        "did does was were which when where who whom whose how why is are has had have hat war wann wo wer welche quand ou qui quel quelle cuando donde quien que cual",
        "",
    ),
    // What answers rest on.
    (b'e', "", "document source passage context conversation message history index quelle kontext"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_classes() {
        for (word, expected) in [
            ("ignoring", Some(b'd')),
            ("vergiss", Some(b'd')),
            ("reglas", Some(b'r')),
            ("your", Some(b'y')),
            ("chatbots", Some(b'b')),
            ("bread", None),
            ("", None),
        ] {
            assert_eq!(class(word), expected, "{word}");
        }
    }
}
