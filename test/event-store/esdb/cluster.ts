import features from '@eventstore/db-client/generated/serverfeatures_pb.js';
import gossip from '@eventstore/db-client/generated/gossip_pb.js';
import { uuid } from './wire.js';

const streamMethods = ['read', 'append', 'delete', 'tombstone', 'batchappend'];

/** What the client asks a server first: which calls it knows. */
export function supportedMethods(): features.SupportedMethods {
  const supported = new features.SupportedMethods().setEventStoreServerVersion('23.10.8');
  for (const name of streamMethods) {
    const method = new features.SupportedMethod().setServiceName('event_store.client.streams.streams').setMethodName(name);
    supported.addMethods(method);
  }
  return supported;
}

/** A cluster of this one node, which leads it. */
export function gossipOf(port: number): gossip.ClusterInfo {
  const member = new gossip.MemberInfo();
  member.setInstanceId(uuid('6f1c1e9e-0000-4000-8000-000000000001'));
  member.setTimeStamp(String(Date.now()));
  member.setState(gossip.MemberInfo.VNodeState.LEADER);
  member.setIsAlive(true);
  member.setHttpEndPoint(new gossip.EndPoint().setAddress('127.0.0.1').setPort(port));
  const cluster = new gossip.ClusterInfo();
  cluster.addMembers(member);
  return cluster;
}
