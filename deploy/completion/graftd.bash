# bash completion for graftd(8), from its tables (scripts/generate-docs).
# shellcheck shell=bash disable=SC2034

# Sets words, flags and operands: what may follow the command $1.
_graftd_words() {
  local settings='
    --owner --grafana-url --grafana-auth-username --grafana-auth-password-file --grafana-auth-token-file
    --grafana-tls-ca-file --grafana-tls-cert-file --grafana-tls-key-file --manifests-directory
    --manifests-git-url --manifests-git-ref --manifests-git-path --manifests-git-poll-interval
    --manifests-git-timeout --manifests-git-auth-username --manifests-git-auth-token-file
    --manifests-git-auth-ssh-key-file --manifests-git-auth-known-hosts-file --manifests-git-tls-ca-file
    --manifests-git-allow-non-fast-forward --manifests-git-allowed-signers-file --manifests-git-allow-local
    --manifests-git-size-limit --interval --state-directory --tokens-directory --tokens-minimum-grace
    --tokens-orphan-age --kubernetes-url --kubernetes-ca-file --kubernetes-token-file --vault-url
    --vault-ca-file --vault-namespace --vault-auth-token-file --vault-auth-kubernetes-role
    --vault-auth-kubernetes-mount --vault-auth-kubernetes-jwt-file --tokens-reissues-per-hour
    --tokens-reissues-per-minute --log-level --log-format --suspend --http-listen --http-socket --http-hosts
    --http-token-file --http-tls-cert-file --http-tls-key-file --http-allow-remote --history-limit
    --webhook-url --webhook-secret-file --webhook-events --config'
  words='' flags='' operands=none
  case $1 in
    '') words='run plan apply check tokens status history reload sync version' ;;
    'tokens') words='list rotate verify' ;;
    'check') operands=paths ;;
    'tokens rotate') operands=any ;;
    'tokens verify') operands=any ;;
  esac
  case $1 in
    '') flags='-h --help --version' ;;
    'tokens') flags='-h --help' ;;
    'run') flags="-h --help $settings" ;;
    'plan') flags="-h --help -o --output --detailed-exitcode $settings" ;;
    'apply') flags="-h --help -o --output $settings" ;;
    'check') flags="-h --help -o --output $settings" ;;
    'tokens list') flags="-h --help -o --output $settings" ;;
    'tokens rotate') flags="-h --help -o --output $settings" ;;
    'tokens verify') flags="-h --help -o --output $settings" ;;
    'status') flags="-h --help -o --output --watch --probe $settings" ;;
    'history') flags="-h --help -o --output --kind --organization --name --limit $settings" ;;
    'reload') flags="-h --help --wait $settings" ;;
    'sync') flags="-h --help --wait $settings" ;;
    'version') flags="-h --help" ;;
  esac
}

# Sets kind and words: what may follow the flag $1. False when it takes no argument.
_graftd_value() {
  kind='' words=''
  case $1 in
    --manifests-git-allow-non-fast-forward) kind=words words='true false' ;;
    --manifests-git-allow-local) kind=words words='true false' ;;
    --log-level) kind=words words='debug info warning error' ;;
    --log-format) kind=words words='logfmt json' ;;
    --suspend) kind=words words='true false' ;;
    --http-allow-remote) kind=words words='true false' ;;
    --webhook-events) kind=list words='drift failure rotation expiry hold stopped' ;;
    -o | --output) kind=words words='text json' ;;
    --kind) kind=words words='Organization OrganizationMember ServiceAccount ServiceAccountToken Folder Dashboard' ;;
    --grafana-auth-password-file | \
      --grafana-auth-token-file | \
      --grafana-tls-ca-file | \
      --grafana-tls-cert-file | \
      --grafana-tls-key-file | \
      --manifests-git-auth-token-file | \
      --manifests-git-auth-ssh-key-file | \
      --manifests-git-auth-known-hosts-file | \
      --manifests-git-tls-ca-file | \
      --manifests-git-allowed-signers-file | \
      --kubernetes-ca-file | \
      --kubernetes-token-file | \
      --vault-ca-file | \
      --vault-auth-token-file | \
      --vault-auth-kubernetes-jwt-file | \
      --http-socket | \
      --http-token-file | \
      --http-tls-cert-file | \
      --http-tls-key-file | \
      --webhook-secret-file | \
      --config) kind=paths ;;
    --manifests-directory | \
      --state-directory | \
      --tokens-directory) kind=directories ;;
    --owner | \
      --grafana-url | \
      --grafana-auth-username | \
      --manifests-git-url | \
      --manifests-git-ref | \
      --manifests-git-path | \
      --manifests-git-poll-interval | \
      --manifests-git-timeout | \
      --manifests-git-auth-username | \
      --manifests-git-size-limit | \
      --interval | \
      --tokens-minimum-grace | \
      --tokens-orphan-age | \
      --kubernetes-url | \
      --vault-url | \
      --vault-namespace | \
      --vault-auth-kubernetes-role | \
      --vault-auth-kubernetes-mount | \
      --tokens-reissues-per-hour | \
      --tokens-reissues-per-minute | \
      --http-listen | \
      --http-hosts | \
      --history-limit | \
      --webhook-url | \
      --wait | \
      --organization | \
      --name | \
      --limit) kind=any ;;
    *) return 1 ;;
  esac
}

# Puts into COMPREPLY what begins with $1: of the words $3, or of the files; $2 says which.
_graftd_offer() {
  local IFS=$' \t\n' current=$1 before=''
  case $2 in
    words) mapfile -t COMPREPLY < <(compgen -W "$3" -- "$current") ;;
    list) # the last of those between commas
      [[ $current == *,* ]] && before=${current%,*},
      mapfile -t COMPREPLY < <(compgen -P "$before" -W "$3" -- "${current##*,}") ;;
    paths | directories)
      if [[ $2 == paths ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
      else
        mapfile -t COMPREPLY < <(compgen -d -- "$current")
      fi
      compopt -o filenames 2>/dev/null ;;
  esac
}

_graftd() {
  local current=${COMP_WORDS[COMP_CWORD]} flag=${COMP_WORDS[COMP_CWORD - 1]} command='' word i
  COMPREPLY=()
  # bash takes --flag=value for three words.
  if [[ $current == = ]]; then
    current=''
  elif [[ $flag == = ]]; then
    flag=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  # A command comes before its flags.
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case "$command $word" in
      ' run' | ' plan' | ' apply' | ' check' | ' tokens' | ' status' | ' history' | ' reload' | ' sync' | ' version') command=$word ;;
      'tokens list' | 'tokens rotate' | 'tokens verify') command="tokens $word" ;;
      *) break ;;
    esac
  done
  local words='' flags='' operands=none kind=''
  if _graftd_value "$flag"; then
    _graftd_offer "$current" "$kind" "$words"
    return
  fi
  _graftd_words "$command"
  if [[ $current == -* || ($operands == none && -z $words) ]]; then
    _graftd_offer "$current" words "$flags"
  elif [[ -n $words ]]; then
    _graftd_offer "$current" words "$words"
  else
    _graftd_offer "$current" "$operands"
  fi
}

complete -F _graftd graftd
