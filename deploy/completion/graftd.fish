# fish completion for graftd(8), from its tables (scripts/generate-docs).

function __graftd_at -d 'Whether the command line is at one of these commands'
    set -l command
    for word in (commandline -opc)[2..]
        switch "$command $word"
            case ' run' ' plan' ' apply' ' check' ' tokens' ' status' ' history' ' reload' ' sync' ' version'
                set command $word
            case 'tokens list' 'tokens rotate' 'tokens verify'
                set command "tokens $word"
            case '*'
                break # a command comes before its flags
        end
    end
    contains -- "$command" $argv
end

complete -c graftd -f
complete -c graftd -n '__graftd_at ""' -a run -d 'the daemon: keeps Grafana as declared until it is stopped'
complete -c graftd -n '__graftd_at ""' -a plan -d 'prints what would change, and why; changes nothing'
complete -c graftd -n '__graftd_at ""' -a apply -d 'one cycle: makes Grafana as declared, and ends'
complete -c graftd -n '__graftd_at ""' -a check -d 'checks manifests offline; no Grafana, no credentials'
complete -c graftd -n '__graftd_at ""' -a tokens -d 'commands for tokens'
complete -c graftd -n '__graftd_at ""' -a status -d 'how everything stands, asked of the running graftd'
complete -c graftd -n '__graftd_at ""' -a history -d 'what was changed, when, and why'
complete -c graftd -n '__graftd_at ""' -a reload -d 'tells the running graftd to read everything anew'
complete -c graftd -n '__graftd_at ""' -a sync -d 'tells the running graftd to begin a cycle now'
complete -c graftd -n '__graftd_at ""' -a version -d 'prints version, compiler and libraries'
complete -c graftd -n '__graftd_at "tokens"' -a list -d 'the tokens looked after: age, expiry, next rotation'
complete -c graftd -n '__graftd_at "tokens"' -a rotate -d 'replaces keys now, not only when they are due'
complete -c graftd -n '__graftd_at "tokens"' -a verify -d 'asks Grafana whether the delivered keys are alive'
complete -c graftd -n '__graftd_at "check"' -F

complete -c graftd -n '__graftd_at "" "tokens" "run" "plan" "apply" "check" "tokens list" "tokens rotate" "tokens verify" "status" "history" "reload" "sync" "version"' -s h -l help -d 'this text'
complete -c graftd -n '__graftd_at ""' -l version -d 'prints version, compiler and libraries'
complete -c graftd -n '__graftd_at "plan" "apply" "check" "tokens list" "tokens rotate" "tokens verify" "status" "history"' -s o -l output -x -a 'text json' -d 'the form of what is printed'
complete -c graftd -n '__graftd_at "plan"' -l detailed-exitcode -d 'exit code 2 when there is something to change or held'
complete -c graftd -n '__graftd_at "status"' -l watch -d 'shown anew at every change, until it is interrupted'
complete -c graftd -n '__graftd_at "status"' -l probe -d 'exit code 0 when graftd is alive, else 1'
complete -c graftd -n '__graftd_at "reload" "sync"' -l wait -x -d 'wait so long for the outcome, at most 5m'
complete -c graftd -n '__graftd_at "history"' -l kind -x -a 'Organization OrganizationMember ServiceAccount ServiceAccountToken Folder Dashboard' -d 'only of this kind'
complete -c graftd -n '__graftd_at "history"' -l organization -x -d 'only in this organization'
complete -c graftd -n '__graftd_at "history"' -l name -x -d 'only of this name'
complete -c graftd -n '__graftd_at "history"' -l limit -x -d 'how many, from 1 to 1000 (100)'

function __graftd_takes_settings
    __graftd_at "run" "plan" "apply" "check" "tokens list" "tokens rotate" "tokens verify" "status" "history" "reload" "sync"
end

complete -c graftd -n '__graftd_takes_settings' -l owner -x -d 'Who this graftd is'
complete -c graftd -n '__graftd_takes_settings' -l grafana-url -x -d 'Where Grafana is, with its sub-path if it has one'
complete -c graftd -n '__graftd_takes_settings' -l grafana-auth-username -x -d 'Login of a Grafana server admin'
complete -c graftd -n '__graftd_takes_settings' -l grafana-auth-password-file -r -F -d 'File that holds the password'
complete -c graftd -n '__graftd_takes_settings' -l grafana-auth-token-file -r -F -d 'File that holds the key of a service account, instead of a login: for one organization, nothing server-wide'
complete -c graftd -n '__graftd_takes_settings' -l grafana-tls-ca-file -r -F -d 'Certificates (PEM) to trust instead of the system’s'
complete -c graftd -n '__graftd_takes_settings' -l grafana-tls-cert-file -r -F -d 'Client certificate (PEM), for a proxy that asks for one'
complete -c graftd -n '__graftd_takes_settings' -l grafana-tls-key-file -r -F -d 'Private key (PEM) of the client certificate'
complete -c graftd -n '__graftd_takes_settings' -l manifests-directory -x -a '(__fish_complete_directories)' -d 'Where the manifests are, unless they are in a git repository'
complete -c graftd -n '__graftd_takes_settings' -l manifests-git-url -x -d 'The git repository of the manifests, instead of a directory'
complete -c graftd -n '__graftd_takes_settings' -l manifests-git-ref -x -d 'A branch, a tag, a ref by its whole name, or a commit by its 40 digits'
complete -c graftd -n '__graftd_takes_settings' -l manifests-git-path -x -d 'The folder of the manifests in the repository'
complete -c graftd -n '__graftd_takes_settings' -l manifests-git-poll-interval -x -d 'How often the repository is asked'
complete -c graftd -n '__graftd_takes_settings' -l manifests-git-timeout -x -d 'How long one fetch may take'
complete -c graftd -n '__graftd_takes_settings' -l manifests-git-auth-username -x -d 'The login that belongs to the token'
complete -c graftd -n '__graftd_takes_settings' -l manifests-git-auth-token-file -r -F -d 'File that holds the token or password for http and https'
complete -c graftd -n '__graftd_takes_settings' -l manifests-git-auth-ssh-key-file -r -F -d 'File that holds the private key for ssh: ed25519 or ecdsa, without a passphrase'
complete -c graftd -n '__graftd_takes_settings' -l manifests-git-auth-known-hosts-file -r -F -d 'The host keys of ssh servers'
complete -c graftd -n '__graftd_takes_settings' -l manifests-git-tls-ca-file -r -F -d 'Certificates (PEM) to trust instead of the system’s'
complete -c graftd -n '__graftd_takes_settings' -l manifests-git-allow-non-fast-forward -x -a 'true false' -d 'Also take a history that was rewritten, and a tag that was moved'
complete -c graftd -n '__graftd_takes_settings' -l manifests-git-allowed-signers-file -r -F -d 'Take only commits that an SSH key in this file has signed (ssh-keygen(1), ALLOWED SIGNERS'
complete -c graftd -n '__graftd_takes_settings' -l manifests-git-allow-local -x -a 'true false' -d 'Also fetch from a repository on this machine (a path or file://)'
complete -c graftd -n '__graftd_takes_settings' -l manifests-git-size-limit -x -d 'How many MiB one fetch may bring, and about how many the copy may take'
complete -c graftd -n '__graftd_takes_settings' -l interval -x -d 'How often the live state is compared, with 10 % jitter'
complete -c graftd -n '__graftd_takes_settings' -l state-directory -x -a '(__fish_complete_directories)' -d 'What must survive a restart'
complete -c graftd -n '__graftd_takes_settings' -l tokens-directory -x -a '(__fish_complete_directories)' -d 'Where the paths of deliverTo: file begin'
complete -c graftd -n '__graftd_takes_settings' -l tokens-minimum-grace -x -d 'A superseded token lives at least so long after its successor was delivered: at least twice the interval at which its users read the file'
complete -c graftd -n '__graftd_takes_settings' -l tokens-orphan-age -x -d 'A token whose key was lost before delivery is deleted at this age, and a new one made'
complete -c graftd -n '__graftd_takes_settings' -l kubernetes-url -x -d 'Where the Kubernetes API is, for deliverTo: kubernetesSecret'
complete -c graftd -n '__graftd_takes_settings' -l kubernetes-ca-file -r -F -d 'Certificates (PEM) to trust'
complete -c graftd -n '__graftd_takes_settings' -l kubernetes-token-file -r -F -d 'File that holds the bearer token'
complete -c graftd -n '__graftd_takes_settings' -l vault-url -x -d 'Where HashiCorp Vault is, for deliverTo: vault'
complete -c graftd -n '__graftd_takes_settings' -l vault-ca-file -r -F -d 'Certificates (PEM) to trust instead of the system’s'
complete -c graftd -n '__graftd_takes_settings' -l vault-namespace -x -d 'Namespace of Vault Enterprise'
complete -c graftd -n '__graftd_takes_settings' -l vault-auth-token-file -r -F -d 'File that holds a Vault token'
complete -c graftd -n '__graftd_takes_settings' -l vault-auth-kubernetes-role -x -d 'Role of Vault’s Kubernetes auth method to log in with, instead of a token'
complete -c graftd -n '__graftd_takes_settings' -l vault-auth-kubernetes-mount -x -d 'Where that auth method is mounted'
complete -c graftd -n '__graftd_takes_settings' -l vault-auth-kubernetes-jwt-file -r -F -d 'File that holds the service account’s token to log in with'
complete -c graftd -n '__graftd_takes_settings' -l tokens-reissues-per-hour -x -d 'How many times an hour one token is replaced without a plan (its file lost, its token deleted or revoked, a sink rolled back) before graftd stops and asks for a person'
complete -c graftd -n '__graftd_takes_settings' -l tokens-reissues-per-minute -x -d 'How many tokens altogether are replaced without a plan within a minute'
complete -c graftd -n '__graftd_takes_settings' -l log-level -x -a 'debug info warning error' -d 'The least important events that are logged'
complete -c graftd -n '__graftd_takes_settings' -l log-format -x -a 'logfmt json' -d 'The form of a log line on standard error'
complete -c graftd -n '__graftd_takes_settings' -l suspend -x -a 'true false' -d 'Compare only: cycles show what differs and change nothing, no token is rotated'
complete -c graftd -n '__graftd_takes_settings' -l http-listen -x -d 'Where the HTTP endpoint and the status page are'
complete -c graftd -n '__graftd_takes_settings' -l http-socket -r -F -d 'The same endpoint as a Unix socket for its owner, which graftd status and the others use'
complete -c graftd -n '__graftd_takes_settings' -l http-hosts -x -d 'Further names by which the endpoint may be asked for (Host header), beside localhost and its address'
complete -c graftd -n '__graftd_takes_settings' -l http-token-file -r -F -d 'File that holds the bearer token for requests that change something'
complete -c graftd -n '__graftd_takes_settings' -l http-tls-cert-file -r -F -d 'Certificate chain (PEM) of the endpoint'
complete -c graftd -n '__graftd_takes_settings' -l http-tls-key-file -r -F -d 'Its private key (PEM)'
complete -c graftd -n '__graftd_takes_settings' -l http-allow-remote -x -a 'true false' -d 'Listen on an address that others can reach without token and TLS: where the network keeps strangers out'
complete -c graftd -n '__graftd_takes_settings' -l history-limit -x -d 'How many changes the history keeps'
complete -c graftd -n '__graftd_takes_settings' -l webhook-url -x -d 'Where events are sent to (docs/operating.md)'
complete -c graftd -n '__graftd_takes_settings' -l webhook-secret-file -r -F -d 'File that holds the secret by which events are signed'
complete -c graftd -n '__graftd_takes_settings' -l webhook-events -x -a '(__fish_append , drift failure rotation expiry hold stopped)' -d 'Which events are sent'
complete -c graftd -n '__graftd_takes_settings' -l config -r -F -d 'This configuration file'
