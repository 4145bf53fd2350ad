# Read by bash before a command that may change the directory: tells, when the shell ends, where it stands.
# The command's own EXIT trap runs first and as it would have.
unset BASH_ENV
__codi_tell_place() { [[ $BASHPID != "$$" ]] || builtin pwd -P >&241 || :; } 2>/dev/null
trap __codi_tell_place EXIT
if [[ $BASH_EXECUTION_STRING == *trap* ]]; then
    trap() {
        builtin trap "$@" || return
        [[ $BASHPID == "$$" ]] || return 0
        local own
        own=$(builtin trap -p EXIT)
        [[ $own != *__codi_tell_place* ]] || return 0
        eval "set -- ${own#trap -- }"
        builtin trap -- "${1-}"$'\n__codi_tell_place' EXIT
    }
fi
