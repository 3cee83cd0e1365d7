"""IAM and STS, as far as those need them who set up other services: who calls, roles and policies."""

import json
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore.exceptions import ClientError
from harness.face import ACCOUNT, REGION, client, fresh_name, not_supported, refused
from harness.server import ENDPOINT, serve

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
SENDS = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}
MANAGED = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


@pytest.fixture(scope="module")
def url(request):
    return ENDPOINT or request.getfixturevalue("server").url


@pytest.fixture(scope="module")
def iam(url):
    return client(url, "iam")


def role(iam, **given) -> dict:
    name = given.pop("RoleName", None) or fresh_name()
    return iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST), **given)["Role"]


def policy(iam, **given) -> dict:
    document = json.dumps(SENDS)
    return iam.create_policy(PolicyName=fresh_name(), PolicyDocument=document, **given)["Policy"]


def test_who_calls(url):
    assert client(url, "sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"
    other = client(url, "sts", key="123456789012").get_caller_identity()
    assert (other["Account"], other["UserId"]) == ("123456789012", "123456789012")


def test_other_operations_of_sts_and_iam_are_refused_by_name(url, iam):
    with not_supported("GetSessionToken"):
        client(url, "sts").get_session_token()
    with not_supported("ListUsers"):
        iam.list_users()


HERE = """AttachRolePolicy CreatePolicy CreateRole DeletePolicy DeleteRole DeleteRolePolicy DetachRolePolicy GetCallerIdentity
GetPolicy GetPolicyVersion GetRole GetRolePolicy ListAttachedRolePolicies ListPolicies ListRolePolicies ListRoles
PutRolePolicy""".split()


@pytest.mark.parametrize(("service", "version", "others"), [("iam", "2010-05-08", 164), ("sts", "2011-06-15", 10)])
def test_every_other_operation_is_not_supported(url, service, version, others):
    operations = set(client(url, service).meta.service_model.operation_names) - set(HERE)
    assert len(operations) == others
    for operation in operations:
        form = f"Action={operation}&Version={version}".encode()
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(urllib.request.Request(url, form), timeout=10)
        answer = caught.value.read().decode()
        assert caught.value.code == 501 and operation in answer and "<Code>NotImplemented</Code>" in answer


def test_a_role_is_kept_and_returned(iam):
    tags = [{"Key": "team", "Value": "orders"}]
    made = role(iam, Path="/shop/", Description="of orders", MaxSessionDuration=7200, Tags=tags)
    found = iam.get_role(RoleName=made["RoleName"])["Role"]
    assert found == made
    assert found["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/shop/{made['RoleName']}"
    assert found["AssumeRolePolicyDocument"] == TRUST and found["Tags"] == tags
    assert (found["Description"], found["MaxSessionDuration"]) == ("of orders", 7200)
    assert found["RoleId"].startswith("AROA")


def test_a_name_is_taken_in_any_case(iam):
    name = role(iam)["RoleName"]
    with refused("EntityAlreadyExists", says=f"Role with name {name.upper()} already exists."):
        role(iam, RoleName=name.upper())


def test_what_is_not_there_cannot_be_found(iam):
    name = fresh_name()
    for ask in (
        lambda: iam.get_role(RoleName=name),
        lambda: iam.delete_role(RoleName=name),
        lambda: iam.list_attached_role_policies(RoleName=name),
        lambda: iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(SENDS)),
    ):
        with refused("NoSuchEntity", says=f"The role with name {name} cannot be found."):
            ask()
    arn = f"arn:aws:iam::{ACCOUNT}:policy/{name}"
    for ask in (iam.get_policy, iam.delete_policy):
        with refused("NoSuchEntity", says=arn):
            ask(PolicyArn=arn)


def test_a_policy_is_kept_and_its_document_returned(iam):
    made = policy(iam, Path="/shop/", Description="sends")
    found = iam.get_policy(PolicyArn=made["Arn"])["Policy"]
    assert found == made and found["AttachmentCount"] == 0
    version = iam.get_policy_version(PolicyArn=made["Arn"], VersionId=found["DefaultVersionId"])["PolicyVersion"]
    assert version["Document"] == SENDS and version["IsDefaultVersion"]
    with refused("NoSuchEntity", says="v2"):
        iam.get_policy_version(PolicyArn=made["Arn"], VersionId="v2")
    with refused("EntityAlreadyExists", says=made["PolicyName"]):
        iam.create_policy(PolicyName=made["PolicyName"], PolicyDocument=json.dumps(SENDS))


def test_policies_are_attached_and_detached(iam):
    name, own = role(iam)["RoleName"], policy(iam)["Arn"]
    for arn in (own, MANAGED, own):
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert {one["PolicyArn"] for one in attached} == {own, MANAGED}
    assert {one["PolicyName"] for one in attached} == {own.split("/")[-1], "AWSLambdaBasicExecutionRole"}
    assert iam.get_policy(PolicyArn=own)["Policy"]["AttachmentCount"] == 1
    with refused("DeleteConflict", says="attached"):
        iam.delete_policy(PolicyArn=own)
    with refused("DeleteConflict", says="detach all policies"):
        iam.delete_role(RoleName=name)
    for arn in (own, MANAGED):
        iam.detach_role_policy(RoleName=name, PolicyArn=arn)
    with refused("NoSuchEntity"):
        iam.detach_role_policy(RoleName=name, PolicyArn=own)
    iam.delete_policy(PolicyArn=own)
    iam.delete_role(RoleName=name)
    with refused("NoSuchEntity", says="not attachable"):
        iam.attach_role_policy(RoleName=role(iam)["RoleName"], PolicyArn=own)


def test_a_role_has_policies_of_its_own(iam):
    name = role(iam)["RoleName"]
    for document in ({"Statement": []}, SENDS):
        iam.put_role_policy(RoleName=name, PolicyName="send", PolicyDocument=json.dumps(document))
    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == ["send"]
    found = iam.get_role_policy(RoleName=name, PolicyName="send")
    assert (found["RoleName"], found["PolicyDocument"]) == (name, SENDS)
    with refused("DeleteConflict", says="delete policies"):
        iam.delete_role(RoleName=name)
    iam.delete_role_policy(RoleName=name, PolicyName="send")
    for ask in (iam.get_role_policy, iam.delete_role_policy):
        with refused("NoSuchEntity", says="The role policy with name send cannot be found."):
            ask(RoleName=name, PolicyName="send")
    iam.delete_role(RoleName=name)


def test_lists_come_in_pages_and_by_path(url):
    iam = client(url, "iam", key="222233334444")
    names = sorted(role(iam, Path="/paged/")["RoleName"] for _ in range(5))
    role(iam)
    pages = iam.get_paginator("list_roles").paginate(PathPrefix="/paged/", PaginationConfig={"PageSize": 2})
    found = [[one["RoleName"] for one in page["Roles"]] for page in pages]
    assert [len(page) for page in found] == [2, 2, 1] and sum(found, []) == names
    arns = {policy(iam)["Arn"] for _ in range(3)}
    assert {one["Arn"] for one in iam.list_policies(Scope="Local")["Policies"]} == arns
    assert iam.list_policies(OnlyAttached=True)["Policies"] == iam.list_policies(Scope="AWS")["Policies"] == []


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"RoleName": "a b"}, "ValidationError"),
        ({"RoleName": "x" * 65}, "ValidationError"),
        ({"Path": "no-slash"}, "ValidationError"),
        ({"MaxSessionDuration": 60}, "ValidationError"),
        ({"AssumeRolePolicyDocument": "{"}, "MalformedPolicyDocument"),
        ({"AssumeRolePolicyDocument": "{}"}, "MalformedPolicyDocument"),
        ({"AssumeRolePolicyDocument": json.dumps({"Statement": [{"Sid": "x" * 10_240}]})}, "LimitExceeded"),
    ],
)
def test_roles_that_are_refused(url, given, code):
    iam = client(url, "iam", parameter_validation=False)
    request = {"RoleName": fresh_name(), "AssumeRolePolicyDocument": json.dumps(TRUST)} | given
    with refused(code):
        iam.create_role(**request)
    with pytest.raises(ClientError):
        iam.get_role(RoleName=request["RoleName"])


def test_accounts_are_apart_and_regions_are_not(url):
    name = role(client(url, "iam"))["RoleName"]
    assert client(url, "iam", region="eu-west-1").get_role(RoleName=name)
    with refused("NoSuchEntity"):
        client(url, "iam", key="999900001111").get_role(RoleName=name)


def test_of_many_who_create_the_same_one_succeeds(iam):
    name = fresh_name()

    def create(_) -> str:
        try:
            return role(iam, RoleName=name)["RoleId"]
        except ClientError as error:
            return error.response["Error"]["Code"]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(create, range(16)))
    assert answers.count("EntityAlreadyExists") == 15
    assert iam.get_role(RoleName=name)["Role"]["RoleId"] in answers


def test_roles_outlive_a_kill(own_server):
    iam = client(own_server.url, "iam")
    made, own = role(iam), policy(iam)
    iam.attach_role_policy(RoleName=made["RoleName"], PolicyArn=own["Arn"])
    own_server.kill()
    own_server.start()
    iam = client(own_server.url, "iam")
    assert iam.get_role(RoleName=made["RoleName"])["Role"] == made
    attached = iam.list_attached_role_policies(RoleName=made["RoleName"])["AttachedPolicies"]
    assert [one["PolicyArn"] for one in attached] == [own["Arn"]]


def test_behind_a_gate_the_signer_is_who_calls(tmp_path):
    for server in serve(tmp_path, "--auth", "sigv4", "--access-key", "AKIDOWNER:secret"):
        session = boto3.session.Session("AKIDOWNER", "secret", region_name=REGION)
        found = session.client("sts", endpoint_url=server.url).get_caller_identity()
        assert found["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/AKIDOWNER" and found["UserId"] == "AKIDOWNER"
        stranger = boto3.session.Session("AKIDOWNER", "guessed", region_name=REGION)
        for service, ask in (("sts", "get_caller_identity"), ("iam", "list_roles")):
            with refused("SignatureDoesNotMatch"):
                getattr(stranger.client(service, endpoint_url=server.url), ask)()
