"""What keys and tokens look like, by the beginning that each service gives to its own.

Every beginning has at least three characters of letters, digits, `_` and `-`, so that a place in a text is held against the
table by looking up three bytes. `form` is what the whole has to be; where a service tells an exact length, a little less is
taken too, since a result may have been cut there. Sources: the services' own pages on their key formats, and the patterns
that they registered for secret scanning.
"""

from msgspec import Struct


class Kind(Struct, frozen=True):
    """`name` becomes a part of the placeholder. `digits` is how many the secret must hold at least, where the form alone would
    fit words too."""

    name: str
    begins: tuple[bytes, ...]
    form: bytes
    digits: int = 0


KINDS = (
    Kind(
        "AWS_ACCESS_KEY_ID", (b"AKIA", b"ASIA", b"ABIA", b"ACCA"), rb"A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}(?![A-Za-z0-9])"
    ),
    Kind("AWS_BEDROCK_KEY", (b"ABSK",), rb"ABSK[A-Za-z0-9+/]{40,}={0,2}"),
    Kind("GITHUB_TOKEN", (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_"), rb"gh[pousr]_[A-Za-z0-9]{20,}"),
    Kind("GITHUB_FINE_GRAINED_TOKEN", (b"github_pat_",), rb"github_pat_[A-Za-z0-9_]{20,}"),
    Kind(
        "GITLAB_TOKEN",
        tuple(b"gl%s-" % part for part in b"pat dt rt cbt ptt ft imt soat oas agent wt".split()),
        rb"gl(?:pat|dt|rt|cbt|ptt|ft|imt|soat|oas|agent|wt)-[\w-]{16,}(?:\.[\w-]+)*",
    ),
    Kind("ANTHROPIC_KEY", (b"sk-ant-",), rb"sk-ant-[\w-]{16,}"),
    Kind("OPENROUTER_KEY", (b"sk-or-",), rb"sk-or-v\d-[A-Za-z0-9]{20,}"),
    Kind("OPENAI_KEY", (b"sk-", b"sess-"), rb"(?:sk-(?!ant-|or-)|sess-)[\w-]{20,}", digits=2),
    Kind("GOOGLE_API_KEY", (b"AIza",), rb"AIza[\w-]{30,}"),
    Kind("GOOGLE_OAUTH_SECRET", (b"GOCSPX-",), rb"GOCSPX-[\w-]{20,}"),
    Kind("SLACK_TOKEN", tuple(b"xox%c-" % letter for letter in b"abceoprsd"), rb"xox[abceoprsd]-[A-Za-z0-9-]{10,}"),
    Kind("SLACK_APP_TOKEN", (b"xapp-",), rb"xapp-\d-[A-Za-z0-9-]{10,}"),
    Kind("STRIPE_KEY", (b"sk_", b"rk_", b"whsec_"), rb"(?:[sr]k_(?:live|test|prod)|whsec)_[A-Za-z0-9]{16,}"),
    Kind("NPM_TOKEN", (b"npm_",), rb"npm_[A-Za-z0-9]{20,}", digits=1),
    Kind("PYPI_TOKEN", (b"pypi-",), rb"pypi-AgE[\w-]{30,}"),
    Kind("RUBYGEMS_KEY", (b"rubygems_",), rb"rubygems_[a-f0-9]{32,}"),
    Kind("DOCKER_TOKEN", (b"dckr_pat_", b"dckr_oat_"), rb"dckr_[po]at_[\w-]{16,}"),
    Kind("HUGGINGFACE_TOKEN", (b"hf_",), rb"hf_[A-Za-z0-9]{20,}"),
    Kind("GROQ_KEY", (b"gsk_",), rb"gsk_[A-Za-z0-9]{20,}"),
    Kind("XAI_KEY", (b"xai-",), rb"xai-[A-Za-z0-9_]{20,}", digits=2),
    Kind("PERPLEXITY_KEY", (b"pplx-",), rb"pplx-[A-Za-z0-9]{20,}"),
    Kind("REPLICATE_TOKEN", (b"r8_",), rb"r8_[A-Za-z0-9]{20,}"),
    Kind("NVIDIA_KEY", (b"nvapi-",), rb"nvapi-[\w-]{20,}"),
    Kind("TAVILY_KEY", (b"tvly-",), rb"tvly-[\w-]{16,}", digits=1),
    Kind("DATABRICKS_TOKEN", (b"dapi",), rb"dapi[a-f0-9]{32}(?:-\d)?"),
    Kind("DIGITALOCEAN_TOKEN", (b"dop_v1_", b"doo_v1_", b"dor_v1_"), rb"do[opr]_v1_[a-f0-9]{32,}"),
    Kind("SHOPIFY_TOKEN", (b"shpat_", b"shpca_", b"shppa_", b"shpss_"), rb"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    Kind("SQUARE_TOKEN", (b"sq0atp-", b"sq0csp-", b"EAAA"), rb"(?:sq0[ac][ts]p-[\w-]{22,}|EAAA[\w-]{60}(?![\w-]))"),
    Kind("TWILIO_KEY", tuple(b"SK%c" % sign for sign in b"0123456789abcdef"), rb"SK[a-f0-9]{32}(?![A-Za-z0-9])"),
    Kind("LINEAR_KEY", (b"lin_api_", b"lin_oauth_"), rb"lin_(?:api|oauth)_[A-Za-z0-9]{32,}"),
    Kind("NOTION_TOKEN", (b"ntn_",), rb"ntn_[A-Za-z0-9]{32,}"),
    Kind("POSTMAN_KEY", (b"PMAK-",), rb"PMAK-[A-Za-z0-9-]{32,}"),
    Kind("ATLASSIAN_TOKEN", (b"ATATT3", b"ATCTT3", b"ATBB"), rb"AT(?:ATT3|CTT3|BB)[\w-]{24,}=?[A-F0-9]*", digits=2),
    Kind("MAILGUN_KEY", (b"key-",), rb"key-[a-f0-9]{32}(?![A-Za-z0-9])"),
    Kind("TAILSCALE_KEY", (b"tskey-",), rb"tskey-[a-z]+-[\w-]{16,}"),
    Kind("PULUMI_TOKEN", (b"pul-",), rb"pul-[a-f0-9]{40}"),
    Kind("AGE_SECRET_KEY", (b"AGE-SECRET-KEY-",), rb"AGE-SECRET-KEY-1[A-Z0-9]{50,}"),
    Kind("NEW_RELIC_KEY", (b"NRAK-",), rb"NRAK-[A-Z0-9]{27}"),
    Kind("GRAFANA_TOKEN", (b"glsa_", b"glc_"), rb"gl(?:sa|c)_[A-Za-z0-9_+/]{32,}={0,2}"),
    Kind("FIGMA_TOKEN", (b"figd_",), rb"figd_[\w-]{32,}"),
    Kind("SENTRY_TOKEN", (b"sntrys_", b"sntryu_"), rb"sntry[su]_[A-Za-z0-9+/=_-]{32,}"),
    Kind("SUPABASE_KEY", (b"sbp_", b"sb_secret_"), rb"sb(?:p|_secret)_[\w-]{20,}"),
    Kind("PLANETSCALE_TOKEN", (b"pscale_",), rb"pscale_(?:tkn|pw|oauth)_[\w-]{32,}"),
    Kind("FLY_TOKEN", (b"fm1r_", b"fm1a_", b"fm2_"), rb"fm(?:1[ar]|2)_[A-Za-z0-9+/]{40,}={0,2}"),
    Kind("HEROKU_KEY", (b"HRKU-",), rb"HRKU-[\w-]{30,}"),
    Kind("JWT", (b"eyJ",), rb"eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*){1,3}"),
)
"""Found at the beginning of a run of letters, digits, `_` and `-`, or behind a `_` or `-` in it."""

BEHIND_A_DOT = (
    Kind("SENDGRID_KEY", (b"SG.",), rb"SG\.[\w-]{16,}\.[\w-]{16,}"),
    Kind("GOOGLE_ACCESS_TOKEN", (b"ya29.",), rb"ya29\.[\w-]{20,}"),
    Kind("VAULT_TOKEN", (b"hvs.", b"hvb."), rb"hv[sb]\.[\w-]{20,}"),
    Kind("DOPPLER_TOKEN", (b"dp.pt.", b"dp.st."), rb"dp\.[ps]t\.[\w.-]{40,}"),
    Kind("TERRAFORM_TOKEN", (b".atlasv1.",), rb"\.atlasv1\.[\w-]{40,}"),
)
"""Those whose beginning ends in a dot stand before the run."""
