"""Who the server says one is, with a good key and with a wrong one."""

import sys

import wandb
from outcome import TEAM, refusal, tell

PROJECT = sys.argv[1]
result = {}
key = wandb.Api().api_key
result["login"] = wandb.login(key=key, verify=True, relogin=True)
wrong = key[:-4] + ("aaaa" if key[-4:] != "aaaa" else "bbbb")
result["wrong_key"] = refusal(lambda: wandb.login(key=wrong, verify=True, relogin=True))
result["wrong_api"] = refusal(lambda: wandb.Api(api_key=wrong).default_entity)
wandb.login(key=key, verify=True, relogin=True)
api = wandb.Api()
viewer = api.viewer
result["viewer"] = [viewer.username, viewer.email, viewer.entity, sorted(viewer.teams)]
result["default_entity"] = api.default_entity
result["user"] = [api.user("ann").username, api.user("ann@example.org").username]
result["no_user"] = api.user("nobody-at-all") is None
team = api.team(TEAM)
result["team"] = [team.name, [each.username for each in team.members]]
api.create_project(PROJECT, TEAM)
result["project"] = api.project(PROJECT, TEAM).name
result["projects"] = PROJECT in [each.name for each in api.projects(TEAM, per_page=1)]
tell(result)
