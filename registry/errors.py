"""What can go wrong in `registry`.

RegistryError
├── SettingsError            an environment variable that cannot work
├── StoreError               the MLflow store or the style database cannot be used
├── UnknownVersion           a version, alias or reference that names nothing     (HTTP 404)
├── RegistrationFailed       a package that did not become a version; nothing was left behind
├── EvidenceError            evidence that is missing, unreadable or contradicts itself
├── PromotionRefused         no passing evidence for that very digest, a changed champion, or no `previous`
├── LogBroken                the promotion log was altered
└── StyleError
    ├── UnknownStyle         no such style                                        (HTTP 404)
    ├── DuplicateStyle       the name is taken, or these pictures are one already (HTTP 409)
    ├── InvalidStyle         a name, tag or note that cannot be used              (HTTP 422)
    └── InvalidArchive       a file that is no archive of styles, or a hostile one
"""


class RegistryError(RuntimeError):
    """Base of everything that `registry` raises on purpose. The message names the cure."""


class SettingsError(RegistryError):
    """An environment variable that cannot work."""


class StoreError(RegistryError):
    """The MLflow store or the style database cannot be used."""


class UnknownVersion(RegistryError):
    """A version, an alias or a reference that names nothing. The message says what there is."""


class RegistrationFailed(RegistryError):
    """The package did not become a version; what was begun has been taken back."""


class EvidenceError(RegistryError):
    """Evidence that is missing, unreadable, or says two things at once."""


class PromotionRefused(RegistryError):
    """The evidence does not allow this promotion, or there is nothing to roll back to."""


class LogBroken(RegistryError):
    """A line of the promotion log does not follow from the one before it."""


class StyleError(RegistryError):
    """Base of what the style library refuses."""


class UnknownStyle(StyleError):
    """No style of that name or id."""


class DuplicateStyle(StyleError):
    """The name is taken, or the same pictures are a style already. The message names it."""


class InvalidStyle(StyleError):
    """A name, a tag or a note that cannot be used, or a style without pictures."""


class InvalidArchive(StyleError):
    """A file that is no archive of styles, or holds what none of ours does."""
