export const SHELLS = ["bash", "zsh", "fish"] as const;

/** A script that lets a shell ask `ramet __complete WORDS…`; lines of an answer are a value, a tab, what it means. */
export const COMPLETION_SCRIPTS = {
  bash: `_ramet() {
  local line words
  words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files) while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}") ;;
      *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done < <("\${COMP_WORDS[0]}" __complete "\${words[@]}" 2>/dev/null)
  case \${COMPREPLY[0]} in
    *=) compopt -o nospace 2>/dev/null ;;
  esac
}
complete -F _ramet ramet
`,
  zsh: `#compdef ramet
_ramet() {
  local line
  local -a values
  for line in "\${(@f)$("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      :files) _files; return ;;
      '') ;;
      *$'\\t'*) values+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
      *) values+=("\${line//:/\\\\:}") ;;
    esac
  done
  _describe -V ramet values
}
if [[ $funcstack[1] == _ramet ]]; then _ramet "$@"; else compdef _ramet ramet; fi
`,
  fish: `function __ramet_complete
  set -l words (commandline -opc)
  set -l typed (commandline -ct)
  for line in ($words[1] __complete $words[2..] "$typed" 2>/dev/null)
    if test "$line" = ":files"
      __fish_complete_path "$typed"
    else
      echo $line
    end
  end
end
complete -c ramet -f -a '(__ramet_complete)'
`,
} as const;
