package cli

const namesHelp = `
Wherever a flag or an argument takes the ID of a company, fund, wallet, trusted party, core client or exchange, you can give
its name instead: --company Acme, --from Treasury, --fund 'Client assets', --approver 'Alice Adams', --approver alice@example.com.

A text is matched in this order: as an ID, as a wallet's short code, as a name. The whole name must match; case and
surrounding spaces do not matter. If a name could mean two things, that is an error, which lists both with their IDs. A text
in the form of an ID (twenty letters and digits or more) is never taken for a name. Nor is one in the form of a short code
(three words) where it could be somebody else's wallet. Wallet names are looked up in the company of the settings, or in
all companies if none is set. A name is looked up once, before anything is shown or asked; the ID is shown, and sent. In
scripts that move assets, use IDs: a name can be given to another wallet later.

For completion of flags, their values and arguments, run one of these in your shell:

  bash    source <(qredo completion bash)        needs the package bash-completion
  zsh     source <(qredo completion zsh)
  fish    qredo completion fish | source

"qredo completion bash --help" says how to set it up for every session. IDs and names come from the configured service,
with your keys; they are cached for a minute in your user cache folder, which nobody else can read. If nothing is
configured, or the service does not answer within 2 s, none are suggested. For values that only you can know, a hint is
shown instead; QREDO_ACTIVE_HELP=0 turns it off.`
