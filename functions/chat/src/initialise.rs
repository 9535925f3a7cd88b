//! What is opened once, when the component is built: `dossier preinitialise` calls this and keeps
//! the memory. Where that is not done, the first request opens the same lazily.

mod world {
    #![allow(unsafe_code, clippy::all, missing_docs, unreachable_pub, reason = "generated")]

    spin_sdk::wit_bindgen::generate!({
        inline: "package dossier:build; world initialise { export wizer-initialize: func(); }",
        runtime_path: "::spin_sdk::wit_bindgen::rt",
    });

    struct Component;
    impl Guest for Component {
        fn wizer_initialize() {
            crate::engine::open_ahead();
        }
    }
    export!(Component);
}
