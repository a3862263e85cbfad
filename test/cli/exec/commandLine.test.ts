/** Command lines as people may see them. */
import { expect, test } from "bun:test"
import { secretsIn, shownCommand } from "../../../src/cli/exec/commandLine.ts"
import { isLinear } from "../../support/growth.ts"

test.each<readonly [command: ReadonlyArray<string>, shown: string, secrets: ReadonlyArray<string>]>([
  [["pg_dump", "--file", "a b.sql", "shop"], "pg_dump --file 'a b.sql' shop", []],
  [["/usr/bin/tar", "-czf", "x.tgz", "--exclude=*.tmp", ""], "/usr/bin/tar -czf x.tgz '--exclude=*.tmp' ''", []],
  [["sh", "-c", "echo it's"], "sh -c 'echo it'\\''s'", []],
  [["x", "--password=hunter2"], "x --password=<redacted>", ["hunter2"]],
  [["x", "--password", "hunter2", "-v"], "x --password <redacted> -v", ["hunter2"]],
  [["x", "--password", "--verbose"], "x --password --verbose", []],
  [["x", "--db-password=a=b"], "x --db-password=<redacted>", ["a=b"]],
  [["x", "--api-key", "k1", "--secret-access-key=k2"], "x --api-key <redacted> --secret-access-key=<redacted>", [
    "k1",
    "k2"
  ]],
  [
    ["x", "--password-file=/run/pw", "--token-path", "/run/token"],
    "x --password-file=/run/pw --token-path /run/token",
    []
  ],
  [
    ["x", "--passive", "--author=Ada", "--authors", "Bob", "--key=value"],
    "x --passive --author=Ada --authors Bob --key=value",
    []
  ],
  [
    ["env", "PGPASSWORD=pw1", "GITHUB_TOKEN=t1", "LANG=C", "psql"],
    "env PGPASSWORD=<redacted> GITHUB_TOKEN=<redacted> LANG=C psql",
    [
      "pw1",
      "t1"
    ]
  ],
  [["mysqldump", "-uroot", "-pS3cret", "shop"], "mysqldump -uroot -p<redacted> shop", ["S3cret"]],
  [["ssh", "-p2222", "host"], "ssh -p2222 host", []],
  [
    ["curl", "-u", "ada:pw", "-H", "Authorization: Bearer abc.def"],
    "curl -u ada:<redacted> -H 'Authorization: Bearer <redacted>'",
    [
      "pw",
      "abc.def"
    ]
  ],
  [["curl", "-H", "X-Api-Key: k", "-H", "Accept: */*"], "curl -H 'X-Api-Key: <redacted>' -H 'Accept: */*'", ["k"]],
  [
    ["psql", "postgres://etl:p%40ss@db.example.com:5432/shop?sslmode=require"],
    "psql 'postgres://etl:<redacted>@db.example.com:5432/shop?sslmode=require'",
    ["p%40ss"]
  ],
  [["psql", "--dbname=postgres://etl:pw@db/shop"], "psql --dbname=postgres://etl:<redacted>@db/shop", ["pw"]],
  [["psql", "host=db user=etl password='a b' dbname=shop"], "psql 'host=db user=etl password=<redacted> dbname=shop'", [
    "a b"
  ]],
  [
    ["git", "clone", "https://ghp_abcdefghij0123456789@github.com/a/b.git"],
    "git clone https://<redacted>@github.com/a/b.git",
    [
      "ghp_abcdefghij0123456789"
    ]
  ],
  [
    ["curl", "https://hooks.slack.com/services/T024BE7LD/B024BE7LD/aBcD1234eFgH5678iJkL"],
    "curl https://hooks.slack.com/services/T024BE7LD/B024BE7LD/<redacted>",
    ["aBcD1234eFgH5678iJkL"]
  ],
  [
    ["curl", "https://x.example.com/a?page=2&access_token=t0k&sig=abc"],
    "curl 'https://x.example.com/a?page=2&access_token=<redacted>&sig=<redacted>'",
    ["t0k", "abc"]
  ],
  [["sh", "-c", "PGPASSWORD=pw psql; curl --token=$TOKEN"], "sh -c PGPASSWORD=<redacted>", [
    "pw",
    "pw psql; curl --token=$TOKEN"
  ]],
  [
    ["sh", "-c", "set -e; PGPASSWORD=pw psql; curl --token=$TOKEN"],
    "sh -c 'set -e; PGPASSWORD=<redacted> psql; curl --token=$TOKEN'",
    ["pw"]
  ],
  [["psql", "postgres://u:p/w#x@db/shop"], "psql postgres://u:<redacted>@db/shop", ["p/w#x"]],
  [["curl", "https://x.example.com/logo@2x.png"], "curl https://x.example.com/logo@2x.png", []],
  [["curl", "-d", "{\"user\":\"ada\",\"password\": \"pw\"}"], "curl -d '{\"user\":\"ada\",\"password\": <redacted>}'", [
    "pw"
  ]],
  [["printf", "a\nb\u001b[31m"], "printf 'a b'", []],
  [
    ["docker", "exec", "db", "mysqldump", "-uroot", "-pS3cret", "shop"],
    "docker exec db mysqldump -uroot -p<redacted> shop",
    ["S3cret"]
  ],
  [["docker", "run", "-u", "1000:1000", "-p", "80:80", "web"], "docker run -u 1000:1000 -p 80:80 web", []],
  [
    ["timeout", "60", "/usr/bin/sshpass", "-p", "pw", "ssh", "a@b"],
    "timeout 60 /usr/bin/sshpass -p <redacted> ssh a@b",
    ["pw"]
  ],
  [["docker", "login", "-u", "ada", "-p", "pw"], "docker login -u ada -p <redacted>", ["pw"]],
  [["mongodump", "-u", "ada", "-p", "pw"], "mongodump -u ada -p <redacted>", ["pw"]],
  [["redis-cli", "-a", "pw", "ping"], "redis-cli -a <redacted> ping", ["pw"]],
  [["sqlcmd", "-S", "db", "-U", "sa", "-P", "pw"], "sqlcmd -S db -U sa -P <redacted>", ["pw"]],
  [["ldapsearch", "-D", "cn=x", "-w", "pw"], "ldapsearch -D cn=x -w <redacted>", ["pw"]],
  [["smbclient", "//h/s", "-U", "ada%pw"], "smbclient //h/s -U ada%<redacted>", ["pw"]],
  [["lftp", "-u", "ada,pw", "h"], "lftp -u ada,<redacted> h", ["pw"]],
  [["sqlplus", "-s", "scott/tiger@orcl", "@/jobs/a.sql"], "sqlplus -s scott/<redacted>@orcl @/jobs/a.sql", ["tiger"]],
  [
    ["aws", "configure", "set", "aws_secret_access_key", "k"],
    "aws configure set aws_secret_access_key <redacted>",
    ["k"]
  ],
  [
    ["curl", "-uada:pw", "-b", "sid=s1", "-HX-Api-Key: k"],
    "curl -uada:<redacted> -b sid=<redacted> '-HX-Api-Key: <redacted>'",
    ["pw", "s1", "k"]
  ],
  [["curl", "-d", "password=pw&user=ada"], "curl -d password=<redacted>", ["pw", "pw&user=ada"]],
  [
    ["curl", "https://discord.com/api/webhooks/42/aB3_deFgHiJkLmNoPq", "https://x.example.com/night_2026_11_30"],
    "curl https://discord.com/api/webhooks/42/<redacted> https://x.example.com/night_2026_11_30",
    ["aB3_deFgHiJkLmNoPq"]
  ],
  [["x", "--webhook-url", "https://a.example.com/b"], "x --webhook-url <redacted>", ["https://a.example.com/b"]],
  [
    ["sh", "-c", "curl -H 'Authorization: Bearer abc' -u ada:pw x | mysql -p\"S3 cret\" && tool --token $T --key k"],
    "sh -c 'curl -H '\\''Authorization: Bearer <redacted>'\\'' -u ada:<redacted> x | mysql -p<redacted> && tool --token $T --key k'",
    ["abc", "pw", "S3 cret"]
  ],
  [["ssh", "host", "sh -c 'redis-cli -a pw ping'"], "ssh host 'sh -c '\\''redis-cli -a <redacted> ping'\\'''", ["pw"]]
])("%p is shown as %p", ([command = "", ...args], shown, secrets) => {
  expect(shownCommand(command, args)).toEqual({ text: shown, secrets })
})

test("a long command line is cut once its secrets are hidden", () => {
  const { text } = shownCommand("x", ["a".repeat(480), "--password=hunter2hunter2hunter2"])
  expect(text.length).toBeLessThanOrEqual(500)
  expect(text).not.toContain("hunter")
})

test("a command line of any length takes linear time", () => {
  for (
    const part of ["=", "a=", "://", "https://a:b@", "'", "password=", "-", "\\'", "\"\\", " '", "-p a ", "login "]
  ) {
    isLinear(part, 100_000, (length) => shownCommand("x", [part.repeat(length / part.length)]))
  }
})

test("secrets of the environment are found by names and addresses, and not paths and common words", () => {
  expect(
    secretsIn({
      HOME: "/root",
      PWD: "/work/jobs",
      OLDPWD: "/work",
      SSH_AUTH_SOCK: "/tmp/agent.1",
      GOOGLE_APPLICATION_CREDENTIALS: "/run/key.json",
      PGPASSWORD: "pw-1",
      AWS_SECRET_ACCESS_KEY: "pw-2",
      DATABASE_URL: "postgres://etl:pw-3@db/shop",
      SENTRY_DSN: "https://pw4@sentry.example.com/1",
      USE_TOKEN: "true",
      GITHUB_TOKEN: "pw-5",
      DISCORD_WEBHOOK_URL: "https://discord.example.com/api/webhooks/1/abc",
      TOKEN_URL: "https://a.example.com/oauth",
      LANG: "C"
    })
  ).toEqual([
    "pw-1",
    "pw-2",
    "pw-3",
    "https://pw4@sentry.example.com/1",
    "pw-5",
    "https://discord.example.com/api/webhooks/1/abc"
  ])
})
