package cli

const namesHelp = `
Where a flag or an argument takes the ID of a company, fund, wallet, trusted party, core client or exchange, its name is taken
too: --company Acme, --from Treasury, --fund 'Client assets', --approver 'Alice Adams', --approver alice@example.com.

What a text means is found in this order: an ID, a wallet's short code, a name. A name is compared whole, without regard to
capitals and spaces around it. Where it could mean two things it means neither: the error lists both with their IDs. A text
in the form of an ID (twenty letters and digits or more) is never taken for a name, nor is one in the form of a short code
(three words) where it could be somebody else's wallet. Names of wallets are looked for in the company of the settings, or in
all companies if none is set. What a name means is looked up once, before anything is shown or asked; the ID is
shown, and sent. In scripts that move assets, write IDs: a name can be given to another wallet later.

The shell completes flags, their values, and arguments once it has read what one of these prints:

  bash    source <(qredo completion bash)        needs the package bash-completion
  zsh     source <(qredo completion zsh)
  fish    qredo completion fish | source

See "qredo completion bash --help" for how to have this in each session. IDs and names come from the service that the
configuration names, with its keys; they are kept for a minute in the user's folder for caches, which nobody else can
read. Where nothing is configured, or the service does not answer within 2 s, there are none. QREDO_ACTIVE_HELP=0 turns
off the help that stands in place of values that only you know.`
