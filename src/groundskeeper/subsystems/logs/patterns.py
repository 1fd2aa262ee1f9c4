"""How services word a failed sign-in, a probe and a sign-in: one row each, as data.

A row is (kind, needle, pattern). The needle is a literal that every such message contains: a plain search for it comes
first, because it is ten times faster than the pattern. In a pattern `{src}` is the address or host name of the other
side, `{ip}` an address only, `{user}` the name as the other side gave it. A `^` before and a `$` after are implied.

What the other side wrote itself (its user name, its client's version, its page) may look like anything, a piece of log
included. So a pattern must leave no doubt which address is the service's own: only fixed words and the service's own
values between it and the beginning of the message, or between it and the end. `{user}` is greedy: of two addresses
the last is taken.

Where a sign-in that fails leaves several messages under one process number, all are listed: they are counted as one.
"""

from enum import Enum


class Kind(Enum):
    FAILED = "failed"
    """A sign-in that was refused."""
    PROBE = "probe"
    """Somebody tries the door: no name, no password, or a request that no honest client makes."""
    ACCEPTED = "accepted"
    """A sign-in that was granted."""


Row = tuple[Kind, str, str]
F, P, A = Kind.FAILED, Kind.PROBE, Kind.ACCEPTED

SSHD: tuple[Row, ...] = (
    (F, "Failed ", r"Failed {method} for (?:invalid user |illegal user )?{user} from {src} port \d+(?: ssh\d?)?"),
    (
        F,
        "Failed ",
        r"Failed [\w/-]+ for (?:invalid|illegal) user {user} from {src} port \d+ ssh\d(?:: [\w-]+ [\w:+/=$]+)?",
    ),
    (
        F,
        "Failed hostbased",
        r"Failed hostbased for (?P<user>\S+) from {src} port \d+ ssh\d: \S+ \S+ client user \S+ client.*",
    ),
    (F, ": ruser ", r"Failed {method} for (?P<user>\S+) from {src} port \d+ ssh1: ruser .*"),
    (F, "Failed ", r"Failed {method} for (?:invalid user )?{user} from {src}"),
    (F, "nvalid user", r"Invalid user {user} from {src}(?: port \d+)?"),
    (F, "llegal user", r"Illegal user {user} from {src}(?: port \d+)?"),
    (F, "PAM: ", r"error: PAM: [^:]+ for (?:illegal user |invalid user )?{user} from {src}(?: via [\d.:a-fA-F]+)?"),
    (
        F,
        "maximum authentication",
        (
            r"(?:error: )?maximum authentication attempts exceeded for (?:invalid user )?{user} "
            r"from {src} port \d+(?: ssh\d)?"
        ),
    ),
    (
        F,
        "authenticating user",
        (
            r"(?:Connection (?:closed|reset) by|Disconnected from|Disconnecting) "
            r"authenticating user {user} {src} port \d+(?:: Too many authentication failures)?"
        ),
    ),
    (
        F,
        " invalid user",
        (
            r"(?:Connection (?:closed|reset) by|Disconnected from|Disconnecting) "
            r"invalid user {user} {src} port \d+(?:: (?:Too many authentication failures|Change of username.*))?"
        ),
    ),
    (F, "ROOT LOGIN", r"ROOT LOGIN REFUSED FROM {src}(?: port \d+)?"),
    (F, "not allowed because", r"User {user} from {src} not allowed because .*"),
    (
        F,
        "Too many auth",
        (
            r"(?:error: )?Disconnecting(?: (?:authenticating |invalid )?user {user} {src} port \d+)?: "
            r"Too many authentication failures(?: for .*)?"
        ),
    ),
    (F, "Auth fail", r"(?:error: )?Received disconnect from {src}(?: port \d+)?: ?\d+: .*Auth fail"),
    (F, "No supported", r"(?:error: )?Received disconnect from {src}(?: port \d+)?: ?14: No supported auth.*"),
    (P, "refused connect", r"refused connect from \S+ \({src}\)"),
    (P, "Received disconnect", r"(?:error: )?Received disconnect from {src}(?: port \d+)?: ?\d+: .*(?P<preauth>)"),
    (P, "Did not receive ident", r"(?:error: )?Did not receive identification string from {src}(?: port \d+)?"),
    (P, "Bad protocol", r"(?:error: )?Bad protocol version identification .* from {src}(?: port \d+)?"),
    (
        P,
        "banner",
        (
            r"(?:error: )?(?:kex_exchange_identification: )?(?:banner exchange: Connection from {src} port \d+: "
            r".*|client sent invalid protocol identifier .*)"
        ),
    ),
    (
        P,
        "Unable to negotiate",
        (
            r"(?:fatal: )?Unable to negotiate (?:with {src}(?: port \d+)?: no matching .*"
            r"|a key exchange method)"
        ),
    ),
    (P, "no matching", r"fatal: no matching \w+ found.*"),
    (P, "Connection ", r"Connection (?:closed|reset) by {src}(?: port \d+)?(?P<preauth>)"),
    (P, "Read from socket", r"fatal: Read from socket failed: Connection reset by peer(?P<preauth>)"),
    (P, "bad client public", r"Disconnecting: bad client public DH value"),
    (P, "does not map back", r"Address {src} maps to \S+, but this does not map back to the address\.?"),
    (P, "Postponed", r"Postponed \S+ for (?:invalid|illegal) user {user} from {src} port \d+(?: ssh\d)?"),
    (P, "Timeout before", r"(?:fatal: )?Timeout before authentication for (?:connection from )?{src}(?: port \d+)?.*"),
    (A, "Accepted ", r"Accepted [\w/-]+ for {user} from {src} port \d+(?: ssh\d(?:: .*)?)?"),
)

PAM: tuple[Row, ...] = (
    (F, "authentication failure", r"{pam}authentication failure; {tty} ruser=\s+rhost={src}(?:\s+user=.*)?\s*"),
    (
        F,
        "authentication failure",
        (
            r"{pam}authentication failure; {tty} ruser=(?P<user>(?:(?!rhost=).)*?) rhost={src}"
            r"(?:\s+user=(?:(?!rhost=).)*)?\s*"
        ),
    ),
    (
        F,
        "authentication failure",
        r"{pam}authentication failure; {tty} ruser=(?P<user>(?:(?! user=).)*) rhost={src}\s*",
    ),
    (
        F,
        "more authentication fail",
        (
            r"{pam}(?:PAM )?(?P<times>\d+) more authentication failures?; {tty} ruser=\S* rhost={src}"
            r"(?:\s+user=\S*)?\s*"
        ),
    ),
    (F, "authentication failure", r"{pam}authentication failure; {tty} ruser=\S* rhost=\s*(?:user={user})?"),
)

DOVECOT: tuple[Row, ...] = (
    (
        F,
        "auth failed",
        (
            r"[\w-]+-login: (?:Info: )?(?:Disconnected|Aborted login|Login aborted|Maximum number of .*?)"
            r"[:.]?.*?\(auth failed, (?P<times>\d+) attempts(?: in \d+ secs)?\)(?: \([\w ]+\))?: user=<{user}>,"
            r"(?: method=[\w-]+,)? rip={ip},.*"
        ),
    ),
    (
        P,
        "no auth attempts",
        r"[\w-]+-login: .*\(no auth attempts(?: in \d+ secs)?\)(?: \([\w ]+\))?: user=<>,.*?rip={ip},.*",
    ),
    (
        P,
        "auth process",
        r"[\w-]+-login: .*\((?:disconnected before auth was ready|tried to use disallowed).*?rip={ip},.*",
    ),
    (P, "disallowed", r"[\w-]+-login: .*\(tried to use disallowed .*?rip={ip},.*"),
    (
        F,
        "assword mismatch",
        r"auth(?:-worker)?(?:\(\w+\))?: .*?[\w-]+\({user},{ip}(?:,<?[^)]*)?\): .*[Pp]assword mismatch.*",
    ),
    (F, "nknown user", r"auth(?:-worker)?(?:\(\w+\))?: .*?[\w-]+\({user},{ip}(?:,<?[^)]*)?\): .*[Uu]nknown user.*"),
    (
        F,
        "failed",
        (
            r"auth(?:-worker)?(?:\(\w+\))?: .*?[\w-]+\({user},{ip}(?:,<?[^)]*)?\): .*(?:pam_authenticate\(\) failed"
            r"|invalid credentials|authentication failed).*"
        ),
    ),
    (F, "nvalid", r"auth(?:-worker)?(?:\(\w+\))?: .*?ldap\({user},{ip}(?:,<?[^)]*)?\): invalid credentials.*"),
    (F, "auth failed", r"[\w-]+-login: .*\(auth failed.*?\): .*?rip={ip},.*"),
    (A, "Login: ", r"[\w-]+-login: (?:Info: )?Login: user=<{user}>,.*? rip={ip},.*"),
)

POSTFIX: tuple[Row, ...] = (
    (
        F,
        "SASL",
        (
            r"warning: \S+\[{ip}\](?::\d+)?: SASL ((?i:[\w-]+)) authentication failed(?!: (?:Connection lost"
            r"|Temporary)).*"
        ),
    ),
    (P, "reject:", r"[\w-]+: (?:milter-)?reject: \w+ from \S*?\[{ip}\](?::\d+)?: [45]\d\d .*"),
    (P, "pipelining", r"improper command pipelining after \w+ from \S+\[{ip}\].*"),
    (P, "too many errors", r"too many errors after \w+ .*?from \S+\[{ip}\].*"),
    (P, "auth=0/", r"disconnect from \S+\[{ip}\](?::\d+)? .*auth=0/.*"),
    (
        P,
        "lost connection",
        r"(?:\w+: )?lost connection after (?:CONNECT|STARTTLS|UNKNOWN|EHLO|HELO) from \S+\[{ip}\].*",
    ),
    (P, "PREGREET", r"PREGREET \d+ after [\d.]+ from \[{ip}\]:\d+: .*"),
    (P, "HANGUP", r"HANGUP after [\d.]+ from \[{ip}\]:\d+ in tests .*"),
    (P, "LIMIT from", r"COMMAND (?:TIME|COUNT|LENGTH) LIMIT from \[{ip}\]:\d+ after \w+"),
    (P, "rate limit", r"warning: .*rate limit exceeded: \d+ from \S+\[{ip}\] for service \S+"),
    (P, "does not resolve", r"warning: hostname \S+ does not resolve to address {ip}.*"),
    (P, "non-SMTP", r"warning: non-SMTP command from \S+\[{ip}\].*"),
)

EXIM: tuple[Row, ...] = (
    (
        F,
        "authenticator failed",
        (
            r"{stamp}\w+ authenticator failed for (?:[^\s(]+ )?(?:\(\S*\) )?\[{ip}\](?::\d+)?"
            r"(?: \w+=\S+)*: 535 Incorrect authentication data.*"
        ),
    ),
    (
        F,
        "AUTH command used",
        (
            r"{stamp}SMTP protocol error in .* {exim}(?: \w+=\S+)* AUTH "
            r"command used when not advertised"
        ),
    ),
    (
        F,
        "mechanism not",
        (
            r"{stamp}SMTP protocol error in .* {exim}(?: \w+=\S+)* \w+ "
            r"authentication mechanism not supported"
        ),
    ),
    (P, "sender verify fail", r"{stamp}{exim}(?: \w+=\S+)* sender verify fail for .*"),
    (P, "rejected RCPT", r"{stamp}{exim}(?: \w+=\S+)* rejected RCPT .*"),
    (P, "rejected by local_scan", r"{stamp}(?:F=\S* )?{exim}.* rejected by local_scan\(\).*"),
    (P, "rejected after DATA", r"{stamp}(?:F=\S* )?{exim}.* rejected after DATA.*"),
    (P, "flagged as Spam", r"{stamp}SA: Action: .*\(host=\S+ \[{ip}\]\) for .*"),
    (P, "silently tossed", r"{stamp}SA: Action: .*\(host=\S+ \[{ip}\]\) for .*"),
    (
        P,
        "synchronization error",
        (
            r"{stamp}SMTP protocol synchronization error \(.*?\): rejected (?:connection from|.*?) ?"
            r"{exim}.*"
        ),
    ),
    (P, "dropped:", r"{stamp}SMTP call from (?:\S+ )?(?:\(.*?\) )?\[{ip}\](?::\d+)?(?: I=\S+)? dropped: too many .*"),
    (P, "no MAIL in SMTP", r"{stamp}no MAIL in SMTP connection from (?:\S+ )?(?:\(.*?\) )?\[{ip}\].*"),
    (P, "closed by DROP", r"{stamp}SMTP connection from (?:\S+ )?(?:\(.*?\) )?\[{ip}\].* closed by DROP in ACL"),
    (P, "dropped by", r"{stamp}{exim} dropped by .* ACL.*"),
)

VSFTPD: tuple[Row, ...] = (
    (F, "FAIL LOGIN", r"(?:\w+ \w+ +\d+ [\d:]+ \d+ )?(?:\[pid \d+\] )?\[{user}\] FAIL LOGIN: Client \"{ip}\""),
    (A, "OK LOGIN", r"(?:\w+ \w+ +\d+ [\d:]+ \d+ )?(?:\[pid \d+\] )?\[{user}\] OK LOGIN: Client \"{ip}\".*"),
)

PROFTPD: tuple[Row, ...] = (
    (F, "no such user", r"(?:\S+ )?\(\S+\[{ip}\]\):? -? ?USER {user}: no such user(?: found)?.*"),
    (F, "Login failed", r"(?:\S+ )?\(\S+\[{ip}\]\):? -? ?USER {user} \(Login failed\):.*"),
    (F, "login attempted", r"(?:\S+ )?\(\S+\[{ip}\]\):? -? ?SECURITY VIOLATION: {user} login attempted.*"),
    (F, "Maximum login", r"(?:\S+ )?\(\S+\[{ip}\]\):? -? ?Maximum login attempts.*"),
    (P, "refused connect", r"refused connect from {src} \(\S+\)"),
)

PURE_FTPD: tuple[Row, ...] = (
    (F, "uthentication failed", r"\(\??.*?@{src}\) \[WARNING\] Authentication failed for user \[{user}\]"),
)

MYSQL: tuple[Row, ...] = (
    (
        F,
        "Access denied",
        (
            r"{stamp}(?:\d+ )?\[(?:Warning|Note|ERROR)\](?: \[MY-\d+\])?(?: \[Server\])? Access denied for user "
            r"'{user}'@'{src}'(?: \(using password: (?:YES|NO)\))?"
        ),
    ),
)

POSTGRES: tuple[Row, ...] = (
    (
        F,
        "authentication failed",
        (
            r".*\b(?:host|client|from)[=: ]+{ip}(?:\(\d+\))?.*FATAL:  (?:password|\w+) authentication "
            r"failed for user \"{user}\""
        ),
    ),
    (F, "authentication failed", r".*\s{ip}\(\d+\).*FATAL:  \w+ authentication failed for user \"{user}\""),
    (F, "no pg_hba.conf", r".*FATAL:  no pg_hba\.conf entry for host \"{ip}\", user .*"),
)

NGINX: tuple[Row, ...] = (
    (
        F,
        "was not found in",
        r"{nginx}user \".*\" was not found in \"[^\"]*\", client: {ip}, .*",
    ),
    (
        F,
        "password mismatch",
        r"{nginx}user \".*\": password mismatch, client: {ip}, server: .*",
    ),
    (
        F,
        "not authenticated",
        r"{nginx}PAM: user '.*' - not authenticated: [^,]*, client: {ip}, .*",
    ),
    (
        P,
        "limiting requests",
        (
            r"{nginx}limiting requests, excess: \S+ by zone \"[^\"]*\", client: "
            r"{ip}, .*"
        ),
    ),
    (
        P,
        "limiting connections",
        r"{nginx}limiting connections by zone \"[^\"]*\", client: {ip}, .*",
    ),
    (
        P,
        "SSL_",
        r"{nginx}SSL_\w+\(\) failed \(SSL: .*\) while .*?, client: {ip}, server: .*",
    ),
    (P, "forbidden by rule", r"{nginx}access forbidden by rule, client: {ip}, .*"),
)

APACHE: tuple[Row, ...] = (
    (F, "authentication failure", r"{apache}(?:AH\d+: )?user .*: authentication failure for .*"),
    (F, "not found", r"{apache}(?:AH\d+: )?user .* not found.*"),
    (F, "in realm", r"{apache}(?:AH\d+: )?(?:Digest: )?user .* in realm .* not found.*"),
    (F, "password mismatch", r"{apache}(?:AH\d+: )?(?:Digest: )?user .*: password mismatch.*"),
    (F, "ogin denied", r"{apache}(?:WAR|ERR) \[Login denied for user .*"),
    (F, "Could not retrieve user", r"{apache}ERR \[Could not retrieve user .*"),
    (F, "auth", r"{apache}(?:AH\d+: )?client used wrong authentication scheme.*"),
    (F, "nonce", r"{apache}(?:AH\d+: )?(?:Digest: )?invalid nonce .*"),
    (P, "nvalid URI", r"{apache}(?:AH\d+: )?[Ii]nvalid URI (?:in request|path).*"),
    (P, "nvalid method", r"{apache}(?:AH\d+: )?Invalid method in request.*"),
    (
        P,
        "request failed",
        r"{apache}(?:AH\d+: )?request failed: (?:URI too long|erroneous characters|invalid|malformed).*",
    ),
    (P, "denied by server", r"{apache}(?:AH\d+: )?client denied by server configuration.*"),
    (
        P,
        "File does not exist",
        r"{apache}(?:AH\d+: )?File does not exist: .*(?:/~|\.(?:ida|php\d?|asp|exe|pl|cgi)\b).*",
    ),
    (P, "script", r"{apache}(?:AH\d+: )?script '.*' not found or unable to stat.*"),
    (P, "function definition", r"{apache}(?:AH\d+: )?\S+: (?:warning: )?\S+: ?ignoring function definition attempt.*"),
    (P, "function definition", r"{apache}(?:AH\d+: )?\S+: error importing function definition for .*"),
    (P, "Access denied with", r"{apache}ModSecurity: +(?:\[.*?\] )*Access denied with .*"),
    (P, "index forbidden", r"{apache}(?:AH\d+: )?Directory index forbidden by .*"),
    (P, "malformed Host", r"{apache}Client sent malformed Host header.*"),
)

WEB_ACCESS: tuple[Row, ...] = (
    (F, '" 401 ', r"(?:\S+ )?{ip} \S+ (?P<user>(?!-)\S+) \[[^]]+\] \"[^\"]*\" 401 .*"),
    (P, '" 400 ', r"(?:\S+ )?{ip} \S+ \S+ \[[^]]+\] \"[^\"]*\" 400 .*"),
    (P, "=http", r"(?:\S+ )?{ip} \S+ \S+ \[[^]]+\] \"\w+ \S+=https?://\S* HTTP/[\d.]+\" [23]\d\d .*"),
    (P, "/~", r"(?:\S+ )?{ip} \S+ \S+ \[[^]]+\] \"\w+ /~\S* HTTP/[\d.]+\" 404 .*"),
)

MAIL: tuple[Row, ...] = (
    (F, "LOGIN FAILED", r"LOGIN FAILED, (?:user={user}|method=\S+), ip=\[{ip}\](?:, port=\[\d+\])?"),
    (F, "535", r"error,relay={ip},(?:port=\d+,)?msg=\"535 Authentication failed\.\".*"),
    (P, "550", r"error,relay={ip},.*: 550 User .*unknown\.?"),
    (
        F,
        "badlogin",
        r"badlogin: (?:\S+ )?\[{ip}\] \S+ .*(?:SASL|authentication failure|[Ff]ailed|not found).*",
    ),
    (F, "ogin failed", r"Login failed user={user} auth=\S* host=.*\[{ip}\]"),
    (F, "failed host", r"AUTHENTICATE \S+ failed host=.*\[{ip}\]"),
    (P, "AUTHENTICATE", r"Login (?:disabled|excessive).* host=.*\[{ip}\]"),
    (F, "AUTH failure", r".*AUTH failure \([\w-]+\): .*relay=.*\[{ip}\].*"),
    (P, "SMTP attack", r"(?:\S+: )?(?:\S+ )?\[{ip}\](?: \(may be forged\))?: possible SMTP attack: command=AUTH.*"),
    (P, "reject=", r".*ruleset=check_\w+, .*relay=.*?\[{ip}\].*reject=[45]\d\d.*"),
    (F, "uthentication failed", r"authentication failed: .* - .*?{ip}"),
    (P, "rblsmtpd", r".*rblsmtpd: {ip} pid \d+ .*"),
    (P, "badiprbl", r".*badiprbl: ip {ip} rbl: .*"),
    (P, "blocked", r"\S+ blocked {ip} \S+ -"),
    (F, "vchkpw", r"vchkpw-\w+: (?:password fail|vpopmail user not found|null password given).*:{ip}"),
)

WEBMIN: tuple[Row, ...] = (
    (F, "login as", r"(?:Non-existent|Invalid) login as {user} from {src}"),
    (F, "ecurity alert", r"Security alert: Host {src} blocked after .*"),
)

DROPBEAR: tuple[Row, ...] = (
    (F, "Bad ", r"Bad (?:PAM )?password attempt for '.*' from {ip}:\d+"),
    (F, "nonexistent user", r"[Ll]ogin attempt for nonexistent user (?:'.*' )?from {ip}:\d+"),
    (F, "before auth", r"Exit before auth(?: from <{ip}:\d+>)? \(user '.*', (?P<times>[1-9]\d*) fails\): .*"),
    (A, "auth succeeded", r"(?:Password|Pubkey|PAM) ?auth succeeded for '.*' (?:with .*)?from {ip}:\d+"),
)

ASTERISK: tuple[Row, ...] = (
    (F, "Registration from", r".*Registration from '.*' failed for '{ip}(?::\d+)?' - .*"),
    (F, "failed to authenticate", r".*(?:Host|Peer) '?{ip}'? failed to authenticate as '.*'"),
    (F, "No registration", r".*No registration for peer '.*' \(from {ip}\)"),
    (F, "MD5", r".*Host {ip} failed MD5 authentication for '.*' \(.*\)"),
    (F, "ailed to authenticate", r".*Failed to authenticate (?:user|device) .*@{ip}\S*"),
    (P, "rejected because", r".*Call from '.*' \({ip}:\d+\) to extension '.*' rejected because extension not found.*"),
    (
        F,
        "SecurityEvent",
        (
            r".*SecurityEvent=\"(?:FailedACL|InvalidAccountID|ChallengeResponseFailed|InvalidPassword)\".*"
            r",RemoteAddress=\"IPV[46]/\w+/{ip}/\d+\".*"
        ),
    ),
    (F, "no matching endpoint", r".*Request '\w+' from '.*' failed for '{ip}:\d+' .*No matching endpoint found.*"),
    (
        F,
        "Request '",
        r".*Request '\w+' from '.*' failed for '{ip}:\d+' .*- (?:No matching|Failed to auth|Error to auth).*",
    ),
)

OTHERS: dict[str, tuple[Row, ...]] = {
    "3proxy": ((F, "PROXY.", r"\S+ [\d:]+ [+-]\d+ PROXY\.\d+ \d{3}(?!00)\d\d \S+ {ip}:\d+ \S+ .*"),),
    "assp": (
        (F, "AUTH errors", r"{stamp}Blocking {ip} - too much AUTH errors \(\d+\);?"),
        (F, "authentication err", r"{stamp}(?:\[[\w-]+\] )*{ip} max sender authentication errors .*"),
        (F, "535", r"{stamp}(?:\S+ )?(?:\[[\w-]+\] )*{ip} \[SMTP Error\] 535 .*"),
        (P, "SSL negotiation", r"{stamp}(?:\[[\w-]+\] )*{ip} SSL negotiation with client failed.*"),
        (P, "relay attempt", r"{stamp}(?:\S+ )?(?:\[[\w-]+\] )*{ip} .*relay attempt blocked.*"),
    ),
    "bitwarden": ((F, "Failed login attempt", r".*Failed login attempt(?:, 2FA invalid)?\. {ip}"),),
    "centreon": ((F, "uthentication failed", r".*\[WEB\] \[{ip}\] Authentication failed for '.*' : .*"),),
    "cowrie": (
        (P, "cowrie.session.connect", r"\{\"session\":\"\w+\",\"protocol\":\"\w+\",\"src_ip\":\"{ip}\",.*"),
        (P, "New connection", r".*\[cowrie\.\S+\] New connection: {ip}:\d+ .*"),
    ),
    "cpanel": ((F, "FAILED LOGIN", r"{stamp}info \[\w+\] {ip} - .* \"\w+ \S+ HTTP/[\d.]+\" FAILED LOGIN .*"),),
    "domino": (
        (
            F,
            "uthentication failed",
            r".*SMTP Server(?: \[\S+\])?: Authentication failed for user .* ; connecting host \[?{ip}\]?",
        ),
        (
            F,
            "uthentication failed",
            r".*SMTP Server \[\S+\] Authentication failed for user .* ; connecting host \[?{ip}\]?",
        ),
        (F, "authentication failure", r".*smtp: .*\[?\b{ip}\]? authentication failure using internet password"),
        (P, "rejected for policy", r".*SMTP Server \[\S+\] Connection from \[{ip}\] rejected for policy reasons.*"),
    ),
    "drupal": (
        (
            F,
            "ogin attempt failed",
            r".*?\|\d+\|user\|{ip}\|[^|]*\|[^ ]*\|\d+\|[^|]*\|Login attempt failed (?:for|from) [^|]*",
        ),
    ),
    "freeswitch": (
        (F, "SIP auth", r".*SIP auth failure \(\w+\) on sofia profile '.*' for \[.*\] from ip {ip}"),
        (F, "Can't find user", r".*Can't find user \[.*\] from {ip}"),
    ),
    "froxlor": (
        (F, "tried to login", r"\[Login Action {ip}\] (?:Unknown user|User) .*tried to login.*"),
        (F, "tried to login", r".*tried to login.*\"user\":\"{ip}\".*"),
    ),
    "gitlab": ((F, "Failed Login", r".*Failed Login: username=.* ip={ip}"),),
    "grafana": ((F, "sername or password", r".*msg=\"Invalid username or password\".* remote_addr={ip}\b.*"),),
    "groupoffice": ((F, "LOGIN FAILED", r".*LOGIN FAILED for user: \".*\" from IP: {ip}"),),
    "gssftpd": ((F, "login failures", r"repeated login failures from {src} \(.*\)"),),
    "guacamole": (
        (F, "uthentication attempt", r".*Authentication attempt from \[?{ip}(?:, [^]]*\])? for user \".*\" failed\."),
    ),
    "horde": ((F, "FAILED LOGIN", r".*FAILED LOGIN for .*\[{ip}\] to .*"),),
    "jellyfin": ((F, "has been denied", r".*Authentication request for .* has been denied \(IP: \"?{ip}\"?\)\."),),
    "lighttpd": ((F, "auth", r".*http_auth\.c\S* .*(?:doesn't match|auth failed|failed|not found).*IP: {ip}"),),
    "monit": (
        (F, "access denied", r".*HttpRequest: access denied -- client {ip}: .*"),
        (F, "supplied", r".*Client '{ip}' supplied (?:unknown user|wrong password).*"),
    ),
    "monitorix": (
        (F, "AUTHERR", r".* - AUTHERR - \[{ip}\] .*"),
        (P, "NOTALLOWED", r".* - NOTALLOWED - \[{ip}\] .*"),
        (P, "NOTEXIST", r".* - NOTEXIST - \[{ip}\] .*"),
    ),
    "mssql": ((F, "Login failed", r"{stamp}Logon\s+Login failed for user '.*'\. .*\[CLIENT: {ip}\]"),),
    "murmur": ((F, "Rejected connection", r".*Rejected connection from {ip}:\d+: .*"),),
    "nagios": ((P, "not allowed to talk", r".*Host {ip} is not allowed to talk to us!"),),
    "named": (
        (
            P,
            "denied",
            r".*client (?:@0x\w+ )?{ip}#\d+(?: \(.*?\))?:(?: view \S+:)? (?:query|zone transfer|update).* denied.*",
        ),
        (P, "bad zone transfer", r".*client (?:@0x\w+ )?{ip}#\d+(?: \(.*?\))?:.* bad zone transfer request: .*"),
        (P, "query (cache)", r".*client (?:@0x\w+ )?{ip}#\d+: query \(cache\)"),
    ),
    "nsd": (
        (P, "ratelimit block", r".*ratelimit block .* query {ip} \S+"),
        (P, "refused", r".*axfr for .* {ip} refused.*"),
    ),
    "openvpn": (
        (F, "TLS Auth Error", r"(?:.* )?{ip}:\d+ TLS Auth Error: Auth Username/Password verification failed.*"),
    ),
    "oracleims": ((F, "Bad password", r"<co ts=.* tr=\"TCP\|[^|]*\|\d+\|{ip}\|\d+\" .*mi=\"Bad password\".*"),),
    "phpmyadmin": ((F, "user denied", r"user denied: .* from {ip}"),),
    "portsentry": ((P, "Blocked", r".*Host: \S+/{ip} Port: \d+ \w+ Blocked"),),
    "roundcube": (
        (F, "ogin failed for", r"{round}IMAP Error: Login failed for .* from {ip}(?:\([^)]*\))?"),
        (
            F,
            "ogin failed for",
            (
                r"{round}IMAP Error: Login failed for .* from {ip}(?:\([^)]*\))?\. "
                r"AUTHENTICATE PLAIN: (?:A\d+ NO )?(?:Login failed|Authentication failed)\..*"
            ),
        ),
        (F, "ailed login for", r"{round}F(?:ailed|AILED) login for .* from {ip}(?: in session \w+ \(error: \d+\))?"),
        (F, "FAILED login for", r"{round}FAILED login for .* from {ip}"),
    ),
    "routeros": ((F, "login failure", r".*login failure for user .* from {ip} via \w+"),),
    "samba": ((P, "Denied connection", r"Denied connection from \S* ?\({ip}\)"),),
    "scanlogd": ((P, " ports ", r"{ip} to \S+ ports .*"),),
    "screensharingd": ((F, "FAILED", r"Authentication: FAILED :: User Name: .* :: Viewer Address: {ip} :: Type: \w+"),),
    "sieve": ((F, "badlogin", r"badlogin: .*\[{ip}\] \S+ authentication failure"),),
    "softether": ((F, "uthentication failed", r".*User authentication failed\. .* from {ip}\."),),
    "sogo": (
        (F, "might not have worked", r".*SOGoRootPage Login from '{ip}[^']*' for user '.*' might not have worked.*"),
    ),
    "squid": (
        (P, "TCP_DENIED/", r"[\d.]+ +\d+ {ip} TCP_DENIED/40[37] .*"),
        (P, "NONE/4", r"[\d.]+ +\d+ {ip} NONE/4\d\d .*"),
    ),
    "stunnel": ((P, "SSL_accept from", r".*SSL_accept from {ip}:\d+ : .*"),),
    "tine20": ((F, "Login with username", r".*Login with username .* from {ip} failed .*"),),
    "vaultwarden": (
        (F, "Username or password", r".*Username or password is incorrect\. Try again\. IP: {ip}\. Username: .*"),
    ),
    "wordpress": (
        (F, "uthentication failure", r"Authentication failure for .* from {ip}"),
        (F, "uthentication attempt", r"(?:Authentication attempt for unknown user|Blocked .*) .*from {ip}"),
    ),
    "xinetd": ((P, "FAIL:", r"FAIL: \S+ (?:address|libwrap|load|time|service_limit).* from={ip}"),),
    "xrdp": ((F, "AUTHFAIL", r"(?:\[\S+\] )?\[INFO \] AUTHFAIL: user=.* ip={ip} time=\d+"),),
    "znc": ((F, "failed to login", r".*\[.*\] failed to login from {ip}"),),
    "cisco": (
        (F, "605004", r".*%(?:ASA|PIX)-6-605004: Login denied from {ip}/\d+ to .*"),
        (F, "113005", r".*%ASA-6-113005: AAA user authentication Rejected: .*(?:user IP = {ip})"),
        (F, "LOGIN_FAILED", r".*%SEC_LOGIN-4-LOGIN_FAILED: .*\[Source: {ip}\].*"),
        (P, "-2-10", r".*%ASA-2-10\d+: Deny .*? from {ip}\b.*"),
    ),
    "sonicwall": ((F, "login denied", r".*msg=\"Administrator login denied due to bad credentials\".* src={ip}:.*"),),
    "ejabberd": (
        (F, "authentication for", r".*[Ff]ailed (?:c2s )?\S+ authentication for .*from (?:IP )?(?:::ffff:)?{ip}.*"),
    ),
    "squirrelmail": ((F, "LOGIN_ERROR", r".*\[LOGIN_ERROR\] .* from {ip}: Unknown user or password incorrect.*"),),
    "directadmin": ((F, "failed login", r".*'{ip}' \d+ failed login attempts?\. Account '.*'"),),
    "kerio": (
        (F, "Attempt from IP", r".*Attempt from IP address {ip}\.?.*"),
        (P, "attack detected", r".*attack detected from {ip},.*"),
    ),
    "perdition": ((F, "failed", r".*Auth: {ip}:\d+->\S+ .*status=\"failed: .*"),),
    "solidpop3d": ((F, "uthentication failed", r"authentication failed: .* - {src}.*"),),
    "openwebmail": ((F, "login error", r".*\({ip}\) .* - login error - .*"),),
    "suhosin": ((P, "ALERT", r".*ALERT - .*\(attacker '{ip}', .*\)"),),
    "dante": ((P, "block(", r".*info: block\(\d+\): tcp/accept \]: {ip}\.\d+ .*"),),
    "counterstrike": ((F, "Bad Rcon", r".*Bad Rcon: \".*\" from \"{ip}:\d+\""),),
    "su": ((F, "failed", r"(?:FAILED su for .*|failed: \S+ changing from .*)"),),
    "sudo": ((F, "incorrect password", r"\s*+(?P<user>\S+) : (?P<times>\d+) incorrect password attempts? ; TTY=.*"),),
    "doas": ((F, "failed", r"failed (?:auth|command) for .*"),),
}

SERVICES: dict[str, tuple[Row, ...]] = {
    "sshd": SSHD + PAM,
    "pam": PAM,
    "dovecot": DOVECOT + PAM,
    "postfix": POSTFIX,
    "exim": EXIM,
    "vsftpd": VSFTPD + PAM,
    "proftpd": PROFTPD + PAM,
    "pure-ftpd": PURE_FTPD + PAM,
    "mysql": MYSQL,
    "postgres": POSTGRES,
    "nginx": NGINX,
    "apache": APACHE,
    "web": WEB_ACCESS,
    "mail": MAIL + PAM,
    "webmin": WEBMIN + PAM,
    "dropbear": DROPBEAR,
    "asterisk": ASTERISK,
    **OTHERS,
    "su": OTHERS["su"] + PAM,
    "sudo": OTHERS["sudo"] + PAM,
}

ONCE: dict[str, str] = {"nginx": ", client: "}
"""Words before the address, for services where the other side's own text stands on both sides of it: where they occur
twice, which of the addresses is the service's own cannot be told."""

PROGRAMS: dict[str, str] = {
    "sshd-session": "sshd",
    "sshd-auth": "sshd",
    "auth": "dovecot",
    "exim4": "exim",
    "mysqld": "mysql",
    "mariadbd": "mysql",
    "postgresql": "postgres",
    "apache2": "apache",
    "httpd": "apache",
    "imapd": "mail",
    "imapd-ssl": "mail",
    "pop3d": "mail",
    "pop3d-ssl": "mail",
    "courierpop3login": "mail",
    "courieresmtpd": "mail",
    "ipop3d": "mail",
    "imap": "mail",
    "pop3": "mail",
    "sendmail": "mail",
    "sm-mta": "mail",
    "qmail": "mail",
    "rblsmtpd": "mail",
    "vpopmail": "mail",
    "solid-pop3d": "solidpop3d",
    "timsieved": "sieve",
    "smbd": "samba",
    "nrpe": "nagios",
    "ftpd": "gssftpd",
    "xrdp-sesman": "xrdp",
    "miniserv.pl": "webmin",
    "systemd-logind": "",
}
"""Programs whose service has another name; "" for one that tells nothing about sign-ins."""
